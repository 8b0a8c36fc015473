import { Observable, delay, mergeMap, timer } from 'rxjs';
import { createRunpod } from 'runpod-rx';
import { eventNotices } from 'runpod-rx/events';

const BASE = 'https://app.example/api/runpod';

/**
 * The client of a page. Its requests reach a handler without a network, there and back in 10 – 30 ms.
 *
 * @param options.answers - counts the statuses that the page gets, and its reads
 */
export function pageClient(handler, { user, events, scheduler, random, answers }) {
  const count = (name) => answers.set(name, (answers.get(name) ?? 0) + 1);
  const travel = () => 5 + random() * 10;
  const transport = ({ method, url, headers, body }) =>
    timer(travel(), scheduler).pipe(
      mergeMap(() => answerOf(handler, { method, url, headers: { ...headers, 'x-user': user }, body })),
      mergeMap(async (answer) => {
        count(answer.status);
        if (/\/status/.test(url)) count('reads');
        return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
      }),
      delay(travel(), scheduler),
    );
  const pushed = {
    scheduler,
    fetch: (url, init) => handler(new Request(url, { ...init, headers: { ...init.headers, 'x-user': user } })),
  };
  return createRunpod({
    transport: Object.assign(transport, { multiplexes: true }),
    baseUrl: BASE,
    ...(events && { notices: eventNotices(`${BASE}/events`, pushed) }),
    scheduler,
    random,
  });
}

function answerOf(handler, { method, url, headers, body }) {
  return new Observable((subscriber) => {
    const aborting = new AbortController();
    handler(new Request(url, { method, headers, body, signal: aborting.signal })).then(
      (answer) => {
        subscriber.next(answer);
        subscriber.complete();
      },
      (error) => subscriber.error(error),
    );
    return () => aborting.abort();
  });
}

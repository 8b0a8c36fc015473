import { Observable, delay, timer, mergeMap } from 'rxjs';

/** The transport of a page: the requests reach a handler without a network, there and back in 10 – 30 ms. */
export function pageTransport(handler, { user, scheduler, random, answers }) {
  const travel = () => timer(5 + random() * 10, scheduler);
  const transport = ({ method, url, headers, body }) =>
    travel().pipe(
      mergeMap(() => answerOf(handler, { method, url, headers: { ...headers, 'x-user': user }, body })),
      mergeMap(async (answer) => {
        answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
        return { status: answer.status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
      }),
      delay(5 + random() * 10, scheduler),
    );
  return Object.assign(transport, { multiplexes: true });
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

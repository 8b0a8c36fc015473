import { describe, expect, test } from 'vitest';
import { anyPage, foreignReply, pageReply, pages, type PageName } from '../support/hostile.js';
import { isServiceAnswer } from '../../src/protocol/message.js';
import { httpErrors, type HttpErrorForm } from '../fixtures/httpErrors.js';
import { script, statuses, type Given } from '../support/world.js';
import fc from 'fast-check';
import { seed } from '../support/seed.js';

const input = { prompt: 'x' };
const queued = { id: 'job-1', status: 'IN_QUEUE' };
const running = { id: 'job-1', status: 'IN_PROGRESS' };
const completed = { id: 'job-1', status: 'COMPLETED', output: 1 };

const given = (name: PageName): Given => {
  const { status, headers, text } = pageReply(name);
  return { status, headers, body: text };
};
const names = Object.keys(pages) as PageName[];
const refusals = names.filter((name) => pages[name].status !== 200);

describe('isServiceAnswer', () => {
  test.each<[string, HttpErrorForm]>(
    Object.entries<HttpErrorForm>(httpErrors).filter(([, { text }]) => !text.startsWith('<')),
  )('S6 takes the form of %s as one of the service', (_, { headers = {}, text }) => {
    expect(isServiceAnswer({ headers, text })).toBe(true);
  });

  test.each<[string, string, Record<string, string>]>([
    ['plain text', '404 page not found', { 'content-type': 'text/plain; charset=utf-8' }],
    ['plain text in brackets', '[error] job not found', {}],
    ['a JSON string', '"job not found"', {}],
    ['JSON that a proxy relays as HTML', '{"error":"job not found"}', { 'content-type': 'text/html' }],
  ])('S6 takes %s as one', (_, text, headers) => {
    expect(isServiceAnswer({ headers, text })).toBe(true);
  });

  test('S6 takes no page as one', () => {
    fc.assert(
      fc.property(anyPage, (page) => {
        expect(isServiceAnswer(page)).toBe(false);
      }),
      { seed },
    );
  });

  test.each<[string, string]>([
    ['HTML after spaces', ' \n\ufeff<html>'],
    ['JSON that is cut off', '{"error":"job not fo'],
    ['a list', '[{"error":"job not found"}]'],
    ['an object with other fields', '{"fault":{"faultstring":"no"}}'],
  ])('S6 does not take %s as one', (_, text) => {
    expect(isServiceAnswer({ headers: {}, text })).toBe(false);
  });
});

describe.each(names)('S6 S19 %s', (name) => {
  const { status } = pages[name];

  test('in place of a read does not end the watch of a job', () => {
    const made = script(({ operation }, nth) => {
      if (operation === 'run') return { body: queued };
      if (nth === 3 || nth === 4) return given(name);
      return { body: nth < 6 ? running : completed };
    });
    const watched = made.see(made.endpoint.watch('job-1'));
    made.until(100_000);
    expect(statuses(watched)).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(made.sent.length).toBeGreaterThanOrEqual(6);
  });

  test('in place of a read of a job of its own cancels nothing, and the output comes', () => {
    const made = script(({ operation }, nth) => {
      if (operation === 'run') return { body: queued };
      return nth === 3 ? given(name) : { body: nth < 6 ? running : completed };
    });
    const seen = made.see(made.endpoint.job({ input }).output$);
    const ran = made.see(made.endpoint.runToEnd({ input }));
    made.until(100_000);
    expect(seen.values).toEqual([1]);
    expect(ran.values.at(-1)).toMatchObject({ output: 1 });
    expect(made.sent.filter(({ operation }) => operation === 'cancel')).toEqual([]);
  });

  test('for longer than the outage is an error of reading, not of a job that is gone', () => {
    const made = script((_, nth) => (nth === 1 ? { body: running } : given(name)));
    const seen = made.see(made.endpoint.watch('job-1', { outage: 60_000 }));
    made.until(100_000);
    expect(seen.ended).toBeGreaterThan(50_000);
    const { code } = seen.error as { code: string };
    expect(['http', 'not_found', 'authentication', 'response']).toContain(code);
  });

  test('in place of a read of the stream loses no chunk', () => {
    const made = script(({ operation }, nth) => {
      if (operation !== 'stream') return { body: { ...completed, output: ['a', 'b'] } };
      if (nth === 2) return given(name);
      if (nth > 3) return { body: { status: 'COMPLETED', stream: [] } };
      return { body: { status: nth === 1 ? 'IN_PROGRESS' : 'COMPLETED', stream: [{ output: nth === 1 ? 'a' : 'b' }] } };
    });
    const seen = made.see(made.endpoint.stream('job-1'));
    made.until(100_000);
    expect(seen.values).toEqual(['a', 'b']);
    expect(seen.error).toBeUndefined();
  });

  test('in place of an answer to a cancel: the cancel is repeated until the service confirms it', () => {
    let cancels = 0;
    const made = script(({ operation }) => {
      if (operation === 'run') return { body: queued };
      if (operation === 'status') return { body: running };
      return ++cancels < 4 ? given(name) : { body: { id: 'job-1', status: 'CANCELLED' } };
    });
    made.see(made.endpoint.run({ input }, { timeout: 10_000 })).subscription.unsubscribe();
    made.see(made.endpoint.job({ input }).output$).subscription.unsubscribe();
    const settled = made.see(made.client.settled());
    made.until(100_000);
    expect(cancels).toBeGreaterThanOrEqual(4);
    expect(settled.values).toMatchObject([{ finished: [], abandoned: [] }]);
    expect(settled.values[0]!.cancelled.length).toBeGreaterThan(0);
  });

  test('in place of the answer to a submission: refused where it is a 4xx, of unknown fate where it is a 2xx', () => {
    const made = script(() => given(name));
    const seen = made.see(made.endpoint.run({ input }));
    made.until(100_000);
    const accepted = status === 200 ? 'unknown' : 'no';
    expect(seen.error).toMatchObject({ accepted, retryable: false });
    expect(made.sent).toHaveLength(1);
  });
});

test.each(refusals)('S6 %s, for ever, to everything: a page of 404 is believed, and any other is not', (name) => {
  const made = script(({ operation }) => (operation === 'run' ? { body: queued, after: 100 } : given(name)));
  made.see(made.endpoint.run({ input })).subscription.unsubscribe();
  const settled = made.see(made.client.settled());
  made.until(20_000_000);
  const list = pages[name].status === 404 ? 'finished' : 'abandoned';
  expect(settled.values).toMatchObject([{ cancelled: [], lost: [], [list]: [{ id: 'job-1' }] }]);
});

describe('S19 an answer about another job', () => {
  const foreign = (status: string): Given => {
    const { text } = foreignReply({ status: 200, headers: {}, text: JSON.stringify({ ...completed, status }) });
    return { body: text };
  };

  test.each(['status', 'cancel'] as const)('to %s is a ResponseError', (operation) => {
    const made = script(() => foreign('COMPLETED'));
    const seen = made.see(made.endpoint[operation]('job-1'));
    made.until(1_000);
    expect(seen.values).toEqual([]);
    expect(seen.error).toMatchObject({ code: 'response', jobId: 'job-1', operation });
    expect((seen.error as Error).message).toContain('is about another job');
  });

  test('to retry leaves the fate of the submission unknown', () => {
    const made = script(() => foreign('IN_QUEUE'));
    const seen = made.see(made.endpoint.retry('job-1'));
    made.until(1_000);
    expect(seen.error).toMatchObject({ code: 'submission_unknown', cause: { code: 'response' } });
  });

  test('with a 4xx is no job, either', () => {
    const made = script(() => ({ ...foreign('COMPLETED'), status: 409 }));
    const seen = made.see(made.endpoint.status('job-1'));
    made.until(1_000);
    expect(seen.error).toMatchObject({ code: 'http', status: 409 });
  });

  test('while a job is watched is ridden out', () => {
    const made = script((_, nth) => (nth === 2 ? foreign('COMPLETED') : { body: nth < 4 ? running : completed }));
    const seen = made.see(made.endpoint.watch('job-1'));
    made.until(100_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(seen.values.at(-1)).toMatchObject({ id: 'job-1' });
  });

  test('to a cancel confirms nothing', () => {
    let cancels = 0;
    const made = script(({ operation }) => {
      if (operation === 'run') return { body: queued, after: 100 };
      if (operation === 'status') return { body: running };
      return ++cancels < 3 ? foreign('CANCELLED') : { body: { id: 'job-1', status: 'CANCELLED' } };
    });
    made.see(made.endpoint.run({ input })).subscription.unsubscribe();
    const settled = made.see(made.client.settled());
    made.until(100_000);
    expect(cancels).toBe(3);
    expect(settled.values).toMatchObject([{ cancelled: [{ id: 'job-1' }] }]);
  });

  test('in a stream delivers none of its chunks', () => {
    const made = script(({ operation }, nth) => {
      if (operation !== 'stream') return { body: { ...completed, output: ['a'] } };
      if (nth === 1) return { body: { id: 'other', status: 'IN_PROGRESS', stream: [{ output: 'theirs' }] } };
      return { body: { status: 'COMPLETED', stream: nth === 2 ? [{ output: 'a' }] : [] } };
    });
    const seen = made.see(made.endpoint.stream('job-1'));
    made.until(100_000);
    expect(seen.values).toEqual(['a']);
  });
});

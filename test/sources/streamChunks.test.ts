import { EMPTY, Subject, Subscription, VirtualTimeScheduler, of, repeat, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { StreamReply } from '../../src/protocol/streamReply.js';
import { streamChunks } from '../../src/sources/streamChunks.js';
import { streamCursor } from '../../src/sources/StreamCursor.js';
import { life } from '../fixtures/snapshots.js';
import { streamSequence } from '../fixtures/streams.js';
import { cases, marbles } from '../support/marbles.js';
import { caught, chunk, events, replies, reply } from './streams.js';
import { httpError, inTurn, momentsAt, noElements, series } from '../support/scripted.js';

/** The status of the job, for streams that do not depend on it. */
const status = () => of(life.c);

describe('streamChunks', () => {
  it(
    'S14 reads until an empty answer follows a terminal status; the last chunks come with that status',
    marbles((m) => {
      const first = m.cold('--(a|)', replies);
      const second = m.cold('---(b|)', replies);
      const last = m.cold('--(d|)', replies);
      const end = m.cold('--(z|)', replies);
      const state = m.cold('(c|)', life);
      const expected = '--a--b-d-|';
      const result$ = streamChunks(inTurn(first, second, last, end), { status: () => state, pause: 4 });
      m.expect(result$).toBeObservable(expected, events);
      m.expect(first).toHaveSubscriptions(' ^-!');
      m.expect(second).toHaveSubscriptions('--^--!');
      m.expect(last).toHaveSubscriptions('  -----^-!');
      m.expect(end).toHaveSubscriptions('   -------^-!');
      m.expect(state).toHaveSubscriptions([]);
    }),
  );

  it('S14 keeps the chunks of an answer where `ended` unsubscribes, and the next reading emits them', () => {
    const cursor = streamCursor();
    const subscription = new Subscription();
    const seen: unknown[] = [];
    // It answers after the first reader has subscribed.
    const answer$ = new Subject<StreamReply>();
    const ended = () => {
      subscription.unsubscribe();
    };
    subscription.add(
      streamChunks(() => answer$, { status, cursor, onGap: 'mark', ended }).subscribe((event) => seen.push(event)),
    );
    answer$.next(reply('COMPLETED', 'a', 'b'));
    expect([seen, cursor.pending, cursor.gap]).toEqual([[], ['a', 'b'], undefined]);
    streamChunks(() => of(reply('COMPLETED')), { status, cursor }).subscribe((event) => seen.push(event));
    expect(seen).toEqual([
      { type: 'chunk', chunk: 'a' },
      { type: 'chunk', chunk: 'b' },
    ]);
  });

  it(
    'S14 reads on for chunks after the terminal status, which stays final',
    marbles((m) => {
      const read = inTurn(
        m.cold('-(d|)', replies),
        m.cold('-(e|)', { e: reply('COMPLETED', 'e') }),
        m.cold('-(f|)', { f: reply('IN_PROGRESS', 'f') }),
        m.cold('-(p|)', replies),
      );
      const expected = '-def|';
      m.expect(streamChunks(read, { status, pause: 4 })).toBeObservable(expected, events);
    }),
  );

  it(
    'S14 emits the chunks of an answer in their order, equal chunks as well',
    marbles((m) => {
      const read = inTurn(
        m.cold('-(x|)', { x: reply('IN_PROGRESS', 'a', 'b', 'b') }),
        m.cold('------(y|)', { y: reply('COMPLETED', 'b', 'a') }),
        m.cold('----(z|)', replies),
      );
      const expected = '-(abb)-(ba)|';
      m.expect(streamChunks(read, { status })).toBeObservable(expected, events);
    }),
  );

  it(
    'S14 reads the recorded answers of the service',
    marbles((m) => {
      const values = Object.fromEntries(streamSequence.map(({ reply: parsed }, at) => [at, parsed]));
      const read = inTurn(
        m.cold('-(0|)', values),
        m.cold('-(1|)', values),
        m.cold('-(2|)', values),
        m.cold('----(3|)', values),
        m.cold('-(z|)', replies),
      );
      const [, one, two, three] = streamSequence.map(({ reply: { chunks } }) => chunks.map(chunk));
      const expected = '---1(23)6|';
      const chunks = { 1: one![0]!, 2: two![0]!, 3: two![1]!, 6: three![0]! };
      m.expect(streamChunks(read, { status, pause: 2 })).toBeObservable(expected, chunks);
    }),
  );

  it(
    'S15 emits falsy chunks',
    marbles((m) => {
      const falsy = [0, '', false, null, undefined];
      const read = inTurn(m.cold('-(x|)', { x: reply('COMPLETED', ...falsy) }), m.cold('-------(z|)', replies));
      const expected = '-(01234)|';
      const values = Object.fromEntries(falsy.map((value, at) => [at, chunk(value)]));
      m.expect(streamChunks(read, { status })).toBeObservable(expected, values);
    }),
  );

  cases(
    'S15 emits the chunks of a job that did not complete, then its error, read from its status',
    (m, { last, code, message }) => {
      const read = inTurn(
        m.cold('-(a|)', replies),
        m.cold('-(f|)', { f: reply(last.status, 'b') }),
        m.cold('-(f|)', { f: reply(last.status) }),
      );
      const state = m.cold(' --p-(l|)', { p: life.p, l: last });
      const expected = '     -ab----(e|)';
      const context = { operation: 'stream', endpointId: 'e', jobId: 'j' };
      const result$ = caught(streamChunks(read, { status: () => state, context }));
      const error = { name: expect.any(String), ...context, code, retryable: false, message, snapshot: last };
      m.expect(result$).toBeObservable(expected, { ...events, e: expect.objectContaining(error) });
      m.expect(state).toHaveSubscriptions('---^---!');
    },
    {
      FAILED: { last: life.f, code: 'job_failed', message: 'job j failed: broken' },
      CANCELLED: { last: life.x, code: 'job_cancelled', message: 'job j was cancelled' },
      TIMED_OUT: {
        last: life.t,
        code: 'job_timed_out',
        message: 'job j timed out: it expired, or its worker was lost',
      },
    },
  );

  it(
    'S15 errors where the status cannot be read',
    marbles((m) => {
      const error = httpError(404);
      const read = m.cold('-(f|)', replies);
      const result$ = streamChunks(() => read, { status: () => m.cold('--#', undefined, error) });
      m.expect(result$).toBeObservable('---#', undefined, error);
      m.expect(read).toHaveSubscriptions('^!');
    }),
  );

  cases(
    'paces its reads:',
    (m, { given, pause, subs }) => {
      const read = m.cold(given, replies);
      m.expect(
        streamChunks(() => read, { status, ...(pause && { pause }) }),
        '1001ms !',
      ).toBeObservable('-');
      m.flush();
      m.expect(read).toHaveSubscriptions(subs);
    },
    {
      'half a second from read to read where the answers come at once': {
        given: '(q|)',
        pause: undefined as number | undefined,
        subs: momentsAt(0, 500, 1_000),
      },
      'counted from when a read was sent': {
        given: '100ms (q|)',
        pause: 400,
        subs: ['^ 99ms !', '400ms ^ 99ms !', '800ms ^ 99ms !'],
      },
      'at once where the service held the answer longer': {
        given: '400ms (q|)',
        pause: 300,
        subs: ['^ 399ms !', '400ms ^ 399ms !', '800ms ^ 200ms !'],
      },
    },
  );

  it(
    'S2 reads again after pauses that double up to 5 s, for five minutes from the latest answer',
    marbles((m) => {
      const error = httpError(429);
      const good = m.cold('   (a|)', replies);
      const failing = m.cold('#', undefined, error);
      // The first failure is at 0, with the answer; five more at 500, 1 500, 3 500, 7 500, 12 500; then each 5 s.
      const at = [0, 500, 1_500, 3_500, ...series(59, 5_000).map((time) => time + 7_500)];
      const result$ = streamChunks(inTurn(good, failing), { status });
      m.expect(result$).toBeObservable('a 297499ms #', events, error);
      m.expect(failing).toHaveSubscriptions(momentsAt(...at));
    }),
  );

  it(
    'S2 starts with short pauses again after an answer, and counts the outage from it',
    marbles((m) => {
      const error = httpError(429);
      const bad = m.cold('#', undefined, error);
      const good = m.cold('(p|)', replies);
      const read = inTurn(bad, bad, good, bad, bad, bad);
      const result$ = streamChunks(read, { status, pause: 2, outage: 9 });
      // Failures at 0 and 2, an answer at 6, and failures at 8, 10 and 14: the pause after that would be 8.
      m.expect(result$).toBeObservable('--------------#', undefined, error);
      m.expect(bad).toHaveSubscriptions(momentsAt(0, 2, 8, 10, 14));
      m.expect(good).toHaveSubscriptions(momentsAt(6));
    }),
  );

  it(
    'S2 reads on where the next read is due exactly at the end of the outage',
    marbles((m) => {
      const error = httpError(429);
      const bad = m.cold('#', undefined, error);
      // Failures at 0, 2 and 6; the pause after the third would end at 14.
      m.expect(streamChunks(() => bad, { status, pause: 2, outage: 6 })).toBeObservable('------#', undefined, error);
      m.expect(bad).toHaveSubscriptions(momentsAt(0, 2, 6));
    }),
  );

  it(
    'S14 calls `ended` for each answer with a terminal status, before its chunks, and for no other',
    marbles((m) => {
      const read = inTurn(
        m.cold('(a|)', replies),
        m.cold('(p|)', replies),
        m.cold('(d|)', replies),
        m.cold('(z|)', replies),
      );
      const seen: unknown[] = [];
      const ended = () => seen.push('ended');
      const result$ = streamChunks(read, { status, ended, pause: 1 }).pipe(tap((event) => seen.push(event)));
      m.expect(result$).toBeObservable('a(d|)', events);
      m.flush();
      expect(seen).toStrictEqual([chunk('a'), 'ended', chunk('d'), 'ended']);
    }),
  );

  cases(
    'S2 waits for the Retry-After of an error where it is longer than its own pause:',
    (m, { retryAfter, at }) => {
      const bad = m.cold('#', undefined, httpError(429, retryAfter));
      const end = m.cold('(z|)', replies);
      m.expect(streamChunks(inTurn(bad, end), { status })).toBeObservable(`${at}ms |`);
      m.expect(end).toHaveSubscriptions(momentsAt(at));
    },
    { longer: { retryAfter: 7_000, at: 7_000 }, shorter: { retryAfter: 100, at: 500 } },
  );

  it(
    'S2 reads on after one failure alone, and after a minute at most, whatever the server asks for',
    marbles((m) => {
      const bad = m.cold('-#', undefined, httpError(429, 300_001));
      const read = inTurn(bad, m.cold('(z|)', replies));
      m.expect(streamChunks(read, { status, outage: 10 })).toBeObservable('60001ms |');
    }),
  );

  cases(
    'S2 errors at once with an error that is not retryable, without a gap:',
    (m, { error }) => {
      const cursor = streamCursor();
      const read = inTurn(m.cold('-(a|)', replies), m.cold('-#', undefined, error));
      m.expect(streamChunks(read, { status, cursor })).toBeObservable('-a#', events, error);
      m.flush();
      expect(cursor).toStrictEqual({ count: 1, delivered: ['a'], pending: [] });
    },
    {
      'a 404': { error: httpError(404) as Error },
      'a 401': { error: httpError(401) },
    },
  );

  it(
    'S16 errors at once with an error that is not the library’s own, and has a gap: the answer may have come',
    marbles((m) => {
      const cursor = streamCursor();
      const error = new TypeError('a bug');
      const read = inTurn(m.cold('-(a|)', replies), m.cold('-#', undefined, error));
      m.expect(streamChunks(read, { status, cursor })).toBeObservable('-a#', events, error);
      m.flush();
      expect(cursor).toStrictEqual({ count: 1, delivered: ['a'], pending: [], gap: 'possibly' });
    }),
  );

  it(
    'errors on a read without an answer',
    marbles((m) => {
      m.expect(streamChunks(() => EMPTY, { status })).toBeObservable('#', undefined, noElements);
    }),
  );

  it(
    'waits for a read that never answers',
    marbles((m) => {
      const read = m.cold('-----', replies);
      m.expect(
        streamChunks(() => read, { status, pause: 1 }),
        '----!',
      ).toBeObservable('-----');
      m.expect(read).toHaveSubscriptions('^---!');
    }),
  );

  it(
    'takes one answer of each read, and unsubscribes from a read that has more',
    marbles((m) => {
      const first = m.cold('-a-b-c', replies);
      const end = m.cold('--(z|)', replies);
      m.expect(streamChunks(inTurn(first, end), { status })).toBeObservable('-a-|', events);
      m.expect(first).toHaveSubscriptions('^!');
      m.expect(end).toHaveSubscriptions('-^-!');
    }),
  );

  it(
    'works on synchronous reads, a thousand of them',
    marbles((m) => {
      let count = 0;
      const read = () => of(++count <= 1_000 ? reply('IN_PROGRESS', count) : reply('COMPLETED'));
      const seen: unknown[] = [];
      streamChunks(read, { status }).subscribe((event) => seen.push(event));
      expect(seen).toStrictEqual(series(1_000).map((index) => chunk(index + 1)));
      m.flush();
    }),
  );

  it(
    'turns an exception of a callback into an error',
    marbles((m) => {
      const thrown = new Error('thrown');
      const throws = (): never => {
        throw thrown;
      };
      m.expect(streamChunks(throws, { status })).toBeObservable('#', undefined, thrown);
      const failed = m.cold('-(f|)', replies);
      m.expect(streamChunks(() => failed, { status: throws })).toBeObservable('-#', undefined, thrown);
    }),
  );

  it(
    'S13 aborts the read in flight, or the pause, when it is unsubscribed from',
    marbles((m) => {
      const read = m.cold('---(q|)', replies);
      const options = { status, pause: 9 };
      m.expect(
        streamChunks(() => read, options),
        '-!',
      ).toBeObservable('-');
      m.expect(
        streamChunks(() => read, options),
        '-----!',
      ).toBeObservable('-----');
      m.expect(read).toHaveSubscriptions(['^!', '^--!']);
    }),
  );

  it(
    'S13 unsubscribes from the status when it is unsubscribed from',
    marbles((m) => {
      const state = m.cold('---(f|)', life);
      const result$ = streamChunks(() => m.cold('-(f|)', replies), { status: () => state });
      m.expect(result$, '--!').toBeObservable('--');
      m.expect(state).toHaveSubscriptions('-^!');
    }),
  );

  it(
    'starts afresh with each subscription where it has no cursor',
    marbles((m) => {
      const read = inTurn(
        m.cold('-(d|)', replies),
        m.cold('-(z|)', replies),
        m.cold('-(a|)', replies),
        m.cold('-(d|)', replies),
        m.cold('-(z|)', replies),
      );
      m.expect(streamChunks(read, { status }).pipe(repeat(2))).toBeObservable('-d-ad|', events);
    }),
  );

  it('S9 uses the given scheduler for all clocks and timers', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen: unknown[] = [];
    const read = inTurn(of(replies.q!), of(replies.d!), of(replies.q!));
    streamChunks(read, { status, scheduler }).subscribe({
      next: (event) => seen.push(scheduler.now(), event),
      complete: () => seen.push('over'),
    });
    expect(seen).toStrictEqual([]);
    scheduler.flush();
    expect(seen).toStrictEqual([500, chunk('d'), 'over']);
  });
});

it('S25 an answer with a hundred thousand chunks moves each of them a bounded number of times', () => {
  const cursor = streamCursor();
  const chunks = Array.from({ length: 100_000 }, (_, n) => n);
  let moved = 0;
  class Counted extends Array<unknown> {
    override shift(): unknown {
      moved += this.length;
      return super.shift();
    }
    override splice(start: number, count: number): unknown[] {
      moved += this.length;
      return super.splice(start, count);
    }
    static override get [Symbol.species]() {
      return Array;
    }
  }
  cursor.pending = new Counted();
  const seen: unknown[] = [];
  const answers = [
    { status: 'COMPLETED', chunks },
    { status: 'COMPLETED', chunks: [] },
  ];
  streamChunks(() => of(answers.shift()!), { status, cursor, pause: 0 }).subscribe((event) => {
    if (event.type === 'chunk') seen.push(event.chunk);
  });
  expect(seen).toEqual(chunks);
  expect(moved).toBeLessThan(1_000_000);
});

import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { JobFailedError, StreamGapError } from '../../src/errors/index.js';
import { streamChunks } from '../../src/sources/streamChunks.js';
import type { GapPolicy } from '../../src/types/GapPolicy.js';
import { streamCursor } from '../../src/sources/StreamCursor.js';
import { job, life } from '../fixtures/snapshots.js';
import { cases, marbles } from '../support/marbles.js';
import { caught, certain, events, harmless, replies, reply, suspect } from './streams.js';
import { httpError, inTurn } from '../support/scripted.js';

const context = { operation: 'stream', endpointId: 'e', jobId: 'j' };

/** The members of a `StreamGapError`, as `caught` emits them. */
function gapError(lost: string, delivered: number, held: unknown[], cause?: unknown) {
  return {
    name: 'StreamGapError',
    code: 'stream_gap',
    ...context,
    retryable: false,
    delivered,
    held,
    lost,
    cause,
    message:
      `the stream of job j ${lost} lost chunks after the first ${delivered}; ` +
      'a worker with return_aggregate_stream lets them be recovered',
  };
}

const completed = (...output: unknown[]) => job('COMPLETED', { output });

describe('S16 a failure that cannot have taken chunks', () => {
  for (const onGap of ['hold', 'mark', 'error'] satisfies GapPolicy[]) {
    cases(
      `is no gap under ${onGap}:`,
      (m, { error }) => {
        const read = inTurn(
          m.cold('-(a|)', replies),
          m.cold('-#', undefined, error),
          m.cold('-(d|)', replies),
          m.cold('-(z|)', replies),
        );
        const state = m.cold('(c|)', life);
        const expected = '    -a---d|';
        m.expect(streamChunks(read, { status: () => state, onGap, pause: 2 })).toBeObservable(expected, events);
        m.expect(state).toHaveSubscriptions([]);
      },
      Object.fromEntries(Object.entries(harmless).map(([name, error]) => [name, { error: error }])),
    );
  }
});

const suspects = Object.fromEntries(
  [...Object.entries(suspect), ['an answer cut off among its chunks', certain] as const].map(([name, error]) => [
    name,
    { error: error, lost: error === certain ? 'certainly' : 'possibly' },
  ]),
) as Readonly<Record<string, { readonly error: Error; readonly lost: string }>>;

describe('S16 a failure that may have taken chunks', () => {
  cases(
    'holds the chunks after the gap, and fills the gap from the output, after:',
    (m, { error }) => {
      const lost = m.cold('-#', undefined, error);
      const after = m.cold('-(c|)', replies);
      const end = m.cold('-(z|)', replies);
      const state = m.cold('-p-(o|)', { p: life.p, o: completed('a', 'b', 'c') });
      const read = inTurn(m.cold('-(a|)', replies), lost, after, end);
      const expected = '-a-------(bc|)';
      m.expect(streamChunks(read, { status: () => state, pause: 2 })).toBeObservable(expected, events);
      m.expect(lost).toHaveSubscriptions(' -^!');
      m.expect(after).toHaveSubscriptions('----^!');
      m.expect(end).toHaveSubscriptions('  -----^!');
      m.expect(state).toHaveSubscriptions('------^--!');
    },
    suspects,
  );

  cases(
    'holds the chunks after the gap, and errors where the output does not prove to have them, after:',
    (m, { error, lost }) => {
      const read = inTurn(
        m.cold('-(a|)', replies),
        m.cold('-#', undefined, error),
        m.cold('-(c|)', replies),
        m.cold('-(z|)', replies),
      );
      const expected = '-a-----(e|)';
      const result$ = caught(streamChunks(read, { status: () => m.cold('-(c|)', life), pause: 2, context }));
      m.expect(result$).toBeObservable(expected, { ...events, e: gapError(lost, 1, ['c']) });
    },
    suspects,
  );

  cases(
    'emits a gap event under mark, and goes on, after:',
    (m, { error }) => {
      const read = inTurn(
        m.cold('-(a|)', replies),
        m.cold('-#', undefined, error),
        m.cold('-(d|)', replies),
        m.cold('-(z|)', replies),
      );
      const state = m.cold('(c|)', life);
      const expected = '-aG--d|';
      const result$ = streamChunks(read, { status: () => state, onGap: 'mark', pause: 2 });
      m.expect(result$).toBeObservable(expected, events);
      m.expect(state).toHaveSubscriptions([]);
    },
    suspects,
  );

  cases(
    'errors at once under error, after:',
    (m, { error, lost }) => {
      const failing = m.cold('-#', undefined, error);
      const read = inTurn(m.cold('-(a|)', replies), failing);
      const expected = '-a(e|)';
      const result$ = caught(streamChunks(read, { status: () => of(life.c), onGap: 'error', context }));
      m.expect(result$).toBeObservable(expected, { ...events, e: gapError(lost, 1, [], error) });
      m.expect(failing).toHaveSubscriptions('-^!');
    },
    suspects,
  );

  it('S22 makes a StreamGapError', () => {
    const errors: unknown[] = [];
    const read = inTurn(of(reply('COMPLETED')));
    const cursor = { ...streamCursor(), gap: 'possibly' as const };
    streamChunks(read, { status: () => of(life.c), cursor }).subscribe({ error: (error) => errors.push(error) });
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(StreamGapError);
    expect((errors[0] as Error).message).toContain('of job ? possibly lost');
  });
});

describe('S16 hold', () => {
  const gap = suspect['a 502'];

  cases(
    'fills the gap from an output with',
    (m, { output, expected }) => {
      const read = inTurn(
        m.cold('(a|)', replies),
        m.cold('#', undefined, gap),
        m.cold('(c|)', replies),
        m.cold('(z|)', replies),
      );
      const result$ = streamChunks(read, { status: () => of(completed(...output)), pause: 6 });
      m.expect(result$).toBeObservable(expected, events);
    },
    {
      'nothing more than came': { output: ['a', 'c'], expected: 'a-----(c|)' },
      'a chunk before the held one': { output: ['a', 'b', 'c'], expected: 'a-----(bc|)' },
      'chunks before and after it': { output: ['a', 'b', 'c', 'd'], expected: 'a-----(bcd|)' },
      'the held chunk twice': { output: ['a', 'c', 'c'], expected: 'a-----(cc|)' },
    },
  );

  cases(
    'errors where the job has',
    (m, { more }) => {
      const read = inTurn(
        m.cold('(a|)', replies),
        m.cold('#', undefined, gap),
        m.cold('(c|)', replies),
        m.cold('(z|)', replies),
      );
      const result$ = caught(streamChunks(read, { status: () => of(job('COMPLETED', more)), pause: 6, context }));
      m.expect(result$).toBeObservable('a-----(e|)', { ...events, e: gapError('possibly', 1, ['c']) });
    },
    {
      'an empty output, which a worker leaves that does not aggregate': {
        more: { output: [] } as Readonly<Record<string, unknown>>,
      },
      'no output': { more: {} },
      'an output that is no list': { more: { output: 'abc' } },
      'an output that begins otherwise': { more: { output: ['b', 'c'] } },
      'an output without what is held': { more: { output: ['a', 'b'] } },
    },
  );

  it(
    'completes where the output shows that nothing was lost at the end',
    marbles((m) => {
      const read = inTurn(m.cold('(a|)', replies), m.cold('#', undefined, gap), m.cold('(z|)', replies));
      m.expect(streamChunks(read, { status: () => of(completed('a')), pause: 3 })).toBeObservable('a--|', events);
    }),
  );

  it(
    'fills several gaps at once',
    marbles((m) => {
      const fails = m.cold('#', undefined, gap);
      const read = inTurn(
        fails,
        m.cold('(b|)', replies),
        fails,
        m.cold('(d|)', replies),
        fails,
        m.cold('(z|)', replies),
      );
      const result$ = streamChunks(read, { status: () => of(completed('a', 'b', 'c', 'd', 'e')), pause: 1 });
      m.expect(result$).toBeObservable('---(abcde|)', events);
    }),
  );

  cases(
    'remembers how certain the loss is:',
    (m, { first, second }) => {
      const read = inTurn(
        m.cold('(a|)', replies),
        m.cold('#', undefined, first),
        m.cold('#', undefined, second),
        m.cold('(z|)', replies),
      );
      const result$ = caught(streamChunks(read, { status: () => of(life.c), pause: 1, context }));
      m.expect(result$).toBeObservable('a--(e|)', { ...events, e: gapError('certainly', 1, []) });
    },
    {
      'what was possible becomes certain': { first: gap as Error, second: certain as Error },
      'what was certain stays so': { first: certain, second: gap },
      'a harmless failure after it changes nothing': { first: certain, second: httpError(429) },
    },
  );

  it(
    'S15 errors with the gap, the job’s failure as its cause, and holds the chunks back',
    marbles((m) => {
      const read = inTurn(
        m.cold('(a|)', replies),
        m.cold('#', undefined, gap),
        m.cold('(b|)', replies),
        m.cold('(f|)', replies),
      );
      const failed = new JobFailedError('job j failed: broken', context, { snapshot: life.f as never });
      const result$ = caught(streamChunks(read, { status: () => of(life.f), pause: 1, context }));
      m.expect(result$).toBeObservable('a(e|)', { ...events, e: gapError('possibly', 1, ['b'], failed) });
    }),
  );

  it(
    'errors with the read’s error when an outage lasts too long, and keeps the held chunks',
    marbles((m) => {
      const cursor = streamCursor();
      const read = inTurn(
        m.cold('(a|)', replies),
        m.cold('#', undefined, gap),
        m.cold('(c|)', replies),
        m.cold('#', undefined, gap),
      );
      const result$ = streamChunks(read, { status: () => of(life.c), cursor, pause: 4, outage: 7 });
      m.expect(result$).toBeObservable('a-------#', events, gap);
      m.flush();
      expect(cursor).toStrictEqual({ count: 1, delivered: ['a'], pending: ['c'], gap: 'possibly' });
    }),
  );
});

describe('S16 an error of a stream without a context', () => {
  it(
    'names the operation, and no job',
    marbles((m) => {
      const read = inTurn(m.cold('#', undefined, certain));
      const result$ = caught(streamChunks(read, { status: () => of(life.c), onGap: 'error' }));
      const error = expect.objectContaining({
        operation: 'stream',
        message: expect.stringContaining('the stream of job ? certainly lost chunks'),
      });
      m.expect(result$).toBeObservable('(e|)', { e: error });
    }),
  );
});

describe('S16 mark', () => {
  const gap = suspect['a reset'];

  it(
    'counts the chunks that were delivered before each gap',
    marbles((m) => {
      const read = inTurn(
        m.cold('-#', undefined, gap),
        m.cold('-(x|)', replies),
        m.cold('------#', undefined, gap),
        m.cold('-(z|)', replies),
      );
      const expected = '-g--(abc)-h--|';
      const values = { ...events, h: { type: 'gap', delivered: 3 } as const };
      const result$ = streamChunks(read, { status: () => of(life.c), onGap: 'mark', pause: 2 });
      m.expect(result$).toBeObservable(expected, values);
    }),
  );

  it(
    'S15 ends with the job’s error',
    marbles((m) => {
      const read = inTurn(m.cold('-#', undefined, gap), m.cold('-(f|)', replies));
      const failed = new JobFailedError('job j failed: broken', context, { snapshot: life.f as never });
      const result$ = streamChunks(read, { status: () => of(life.f), onGap: 'mark', pause: 2 });
      m.expect(result$).toBeObservable('-g--#', events, failed);
    }),
  );
});

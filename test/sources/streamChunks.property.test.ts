import fc from 'fast-check';
import {
  VirtualTimeScheduler,
  defer,
  finalize,
  of,
  switchMap,
  take,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { JobFailedError, StreamGapError } from '../../src/errors/index.js';
import type { StreamReply } from '../../src/protocol/streamReply.js';
import { streamChunks } from '../../src/sources/streamChunks.js';
import type { StreamEvent } from '../../src/sources/StreamEvent.js';
import type { GapPolicy } from '../../src/types/GapPolicy.js';
import { streamCursor } from '../../src/sources/StreamCursor.js';
import { job } from '../fixtures/snapshots.js';
import { certain, harmless, reply, suspect } from './streams.js';
import { seed } from '../support/seed.js';

// Many runs on a busy machine take longer than a test usually may.
vi.setConfig({ testTimeout: 60_000 });

/** What the server does with one read: how many new chunks it has by then, and what happens to the answer. */
const step = fc.record({
  fresh: fc.nat(3),
  latency: fc.nat(3),
  fate: fc.constantFrom('answered', 'answered', 'answered', 'refused', 'lost before', 'lost after', 'cut off'),
});

/** When a reader unsubscribes, before the next one subscribes: after some events, or after some time. */
const visit = fc.record({
  events: fc.integer({ min: 1, max: 4 }),
  time: fc.nat(12),
  by: fc.constantFrom('events', 'time'),
});

const play = fc.record({
  steps: fc.array(step, { maxLength: 12 }),
  visits: fc.array(visit, { maxLength: 4 }),
  /** Whether chunks have few values, so that many are equal; else each has its own value. */
  alike: fc.boolean(),
  aggregate: fc.boolean(),
  fails: fc.boolean(),
});
type Play = typeof play extends fc.Arbitrary<infer T> ? T : never;

/** A server that sends each chunk once, and records what it made and may have lost. */
function server({ steps, alike, aggregate, fails }: Play, scheduler: VirtualTimeScheduler) {
  const made: number[] = [];
  let buffer: number[] = [];
  let turn = 0;
  let suspicious = false;
  let inFlight = 0;
  const read = (): Observable<StreamReply> =>
    defer(() => {
      expect(++inFlight).toBe(1);
      const { fresh, latency, fate } = steps[turn] ?? { fresh: 0, latency: 1, fate: 'answered' };
      const done = turn++ >= steps.length;
      for (let n = 0; n < fresh; n++) {
        const value = alike ? made.length % 2 : made.length;
        made.push(value);
        buffer.push(value);
      }
      const takes = fate === 'answered' || fate === 'lost after' || fate === 'cut off';
      const taken = takes ? buffer : [];
      if (takes) buffer = [];
      const status = done ? (fails ? 'FAILED' : 'COMPLETED') : 'IN_PROGRESS';
      const outcome = (): Observable<StreamReply> => {
        if (fate === 'answered') return of(reply(status, ...taken));
        if (fate === 'refused') return throwError(() => harmless['a 429']);
        suspicious = true;
        return throwError(() => (fate === 'cut off' && taken.length ? certain : suspect['a reset']));
      };
      let over = false;
      return timer(latency, scheduler).pipe(
        switchMap(outcome),
        tap({ next: () => (over = true), error: () => (over = true) }),
        finalize(() => {
          inFlight--;
          // The reader unsubscribed from the read, and does not know which chunks it took.
          if (!over) suspicious = true;
        }),
      );
    });
  const end = job(fails ? 'FAILED' : 'COMPLETED', {
    ...(fails && { error: 'broken' }),
    ...(aggregate && { output: made }),
  });
  return { read, status: () => of(end), made, suspicious: () => suspicious, fails };
}

/** Reads a stream with several readers in turn on one cursor. Returns the events, and how the last reading ended. */
function readAll(given: Play, onGap: GapPolicy) {
  const scheduler = new VirtualTimeScheduler();
  const source = server(given, scheduler);
  const cursor = streamCursor();
  const seen: StreamEvent[] = [];
  let ended: unknown;
  const part$ = streamChunks(source.read, { status: source.status, onGap, cursor, pause: 4, outage: 1e6, scheduler });
  for (const visit of [...given.visits, undefined]) {
    const left$ = visit?.by === 'events' ? part$.pipe(take(visit.events)) : part$;
    const subscription = left$.subscribe({
      next: (event) => seen.push(event),
      error: (error: unknown) => (ended = error),
      complete: () => (ended = visit?.by === 'events' && cursor.count < source.made.length ? undefined : 'complete'),
    });
    if (visit?.by === 'time') scheduler.schedule(() => subscription.unsubscribe(), visit.time);
    scheduler.flush();
    if (ended instanceof Error) break;
    if (visit) ended = undefined;
  }
  const chunks = seen.flatMap((event) => (event.type === 'chunk' ? [event.chunk] : []));
  return { ...source, cursor, seen, chunks, ended };
}

describe('S16 with any server and any number of readers in turn,', () => {
  it('hold delivers the first chunks in order, and then all of them or an error', () => {
    fc.assert(
      fc.property(play, (given) => {
        const { made, chunks, ended, fails, cursor, suspicious } = readAll(given, 'hold');
        expect(chunks).toStrictEqual(made.slice(0, chunks.length));
        expect(cursor.count).toBe(chunks.length);
        if (ended instanceof StreamGapError) {
          expect(suspicious()).toBe(true);
          expect(given.aggregate && !fails && made.length > 0).toBe(false);
          expect(ended.delivered).toBe(chunks.length);
          expect(isWithin(ended.held, made.slice(chunks.length))).toBe(true);
        } else {
          expect(chunks).toStrictEqual(made);
          if (fails) expect(ended).toBeInstanceOf(JobFailedError);
          else expect(ended).toBe('complete');
        }
      }),
      { seed, numRuns: 300 },
    );
  });

  it('error delivers the first chunks in order, and then all of them or an error', () => {
    fc.assert(
      fc.property(play, (given) => {
        const { made, chunks, ended, fails, suspicious } = readAll(given, 'error');
        expect(chunks).toStrictEqual(made.slice(0, chunks.length));
        if (ended instanceof StreamGapError) {
          expect(suspicious()).toBe(true);
          expect(ended.delivered).toBe(chunks.length);
        } else {
          expect(chunks).toStrictEqual(made);
          if (fails) expect(ended).toBeInstanceOf(JobFailedError);
          else expect(ended).toBe('complete');
        }
      }),
      { seed, numRuns: 200 },
    );
  });

  it('mark repeats and reorders nothing, and emits a gap where chunks are missing', () => {
    fc.assert(
      fc.property(play, (given) => {
        const { made, seen, ended, fails, suspicious } = readAll({ ...given, alike: false }, 'mark');
        let next = 0;
        let gap = false;
        for (const event of seen) {
          if (event.type === 'gap') {
            expect(suspicious()).toBe(true);
            gap = true;
            continue;
          }
          expect(event.chunk).toBeGreaterThanOrEqual(next);
          if (!gap) expect(event.chunk).toBe(next);
          next = Number(event.chunk) + 1;
          gap = false;
        }
        if (!gap) expect(next).toBe(made.length);
        if (fails) expect(ended).toBeInstanceOf(JobFailedError);
        else expect(ended).toBe('complete');
      }),
      { seed, numRuns: 200 },
    );
  });
});

/** Whether some chunks lie among all in their order. */
function isWithin(some: readonly unknown[], all: readonly unknown[]): boolean {
  let at = 0;
  return some.every((chunk) => {
    at = all.indexOf(chunk, at) + 1;
    return at > 0;
  });
}

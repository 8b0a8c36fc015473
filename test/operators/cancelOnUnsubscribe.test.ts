import {
  EMPTY,
  NEVER,
  Subject,
  catchError,
  config,
  concat,
  map,
  of,
  repeat,
  switchMap,
  take,
  takeUntil,
  tap,
  throwError,
  timeout,
  type Observable,
} from 'rxjs';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { cancelOnUnsubscribe } from '../../src/operators/cancelOnUnsubscribe.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job, life } from '../fixtures/snapshots.js';
import { cases, marbles } from '../support/marbles.js';

/** Records the ids of the jobs that are cancelled. */
function cancelling(answer$: Observable<JobSnapshot> = of(life.x)) {
  const ids: string[] = [];
  return {
    ids,
    cancel: (id: string) => {
      ids.push(id);
      return answer$;
    },
  };
}

describe('cancelOnUnsubscribe', () => {
  it(
    'S4 cancels the job when it is unsubscribed from, and the cancel goes on',
    marbles((m) => {
      const source = m.hot('-q--p--c', life);
      const unsub = '       -----!';
      const cancel = m.cold('    ---(x|)', life);
      m.expect(source.pipe(cancelOnUnsubscribe({ cancel: () => cancel })), unsub).toBeObservable('-q--p', life);
      m.expect(source).toHaveSubscriptions('^----!');
      m.expect(cancel).toHaveSubscriptions('-----^--!');
    }),
  );

  cases<{ given: string; unsub: string; id?: string; cancelled: readonly string[] }>(
    'S4 asks for the cancel once, with the id, or not at all',
    (m, { given, unsub, id, cancelled }) => {
      const canceller = cancelling();
      const source = m.hot(given, { ...life, o: job('IN_QUEUE', { id: 'other' }) });
      const seen = source.pipe(cancelOnUnsubscribe(canceller, id ? { id } : {}));
      m.expect(seen, unsub).toBeObservable(given, { ...life, o: job('IN_QUEUE', { id: 'other' }) });
      m.flush();
      expect(canceller.ids).toStrictEqual(cancelled);
    },
    {
      'left while it waits': { given: '-q--', unsub: '---!', cancelled: ['j'] },
      'left while it runs': { given: '-qp-', unsub: '---!', cancelled: ['j'] },
      'left in a status that is not known': { given: '-u--', unsub: '---!', cancelled: ['j'] },
      'left before the first snapshot': { given: '----', unsub: '---!', cancelled: [] },
      'left before the first snapshot of a job that is named': {
        given: '----',
        unsub: '---!',
        id: 'named',
        cancelled: ['named'],
      },
      'left after COMPLETED': { given: '-pc-', unsub: '---!', cancelled: [] },
      'left after FAILED': { given: '-pf-', unsub: '---!', cancelled: [] },
      'left after CANCELLED': { given: '-px-', unsub: '---!', cancelled: [] },
      'left after TIMED_OUT': { given: '-pt-', unsub: '---!', id: 'j', cancelled: [] },
      'left when it runs anew': { given: '-fq-', unsub: '---!', cancelled: ['j'] },
      'left at a later job': { given: '-qo-', unsub: '---!', id: 'j', cancelled: ['other'] },
      'completed after its end': { given: '-pc|', unsub: '-----!', cancelled: [] },
      'completed before its end': { given: '-p-|', unsub: '-----!', id: 'j', cancelled: [] },
      'errored while it runs': { given: '-p-#', unsub: '-----!', id: 'j', cancelled: [] },
      'an empty source': { given: '---|', unsub: '-----!', id: 'j', cancelled: [] },
      'an error at once': { given: '#', unsub: '-----!', id: 'j', cancelled: [] },
    },
  );

  cases<{
    by: (other: Observable<unknown>) => (source: Observable<JobSnapshot>) => Observable<JobSnapshot>;
    expected: string;
    sub: string;
  }>(
    'S4 takes for leaving',
    (m, { by, expected, sub }) => {
      const canceller = cancelling();
      const source = m.hot('-q--p--c|', life);
      const other = m.hot(' --o', { o: 0 });
      const left = source.pipe(cancelOnUnsubscribe(canceller), by(other));
      m.expect(left.pipe(catchError(() => of(life.f)))).toBeObservable(expected, life);
      m.expect(source).toHaveSubscriptions(sub);
      m.flush();
      expect(canceller.ids).toStrictEqual(['j']);
    },
    {
      takeUntil: { by: (other) => takeUntil(other), expected: '-q|', sub: '^-!' },
      'take(1), from within the snapshot': { by: () => take(1), expected: '-(q|)', sub: '^!' },
      timeout: { by: () => timeout(1), expected: '-q(f|)', sub: '^-!' },
      'what throws after it': {
        by: () =>
          map(() => {
            throw new Error('thrown');
          }),
        expected: '-(f|)',
        sub: '^!',
      },
    },
  );

  it(
    'S4 cancels the job that switchMap unsubscribes from, and not the next job',
    marbles((m) => {
      const canceller = cancelling();
      const jobs = { a: m.cold('q---p--|', life), b: m.cold('q-(c|)', life) };
      const picked = m.hot('    -a--b----|', { a: 'a', b: 'b' } as const);
      const expected = '         -q--q-c--|';
      const seen = picked.pipe(switchMap((id) => jobs[id].pipe(cancelOnUnsubscribe(canceller, { id }))));
      m.expect(seen).toBeObservable(expected, life);
      m.flush();
      expect(canceller.ids).toStrictEqual(['j']);
    }),
  );

  it(
    'does not cancel where an operator before it ends the source',
    marbles((m) => {
      const canceller = cancelling();
      const source = m.hot('-q--p--c|', life);
      const other = m.hot(' --o', { o: 0 });
      m.expect(source.pipe(takeUntil(other), cancelOnUnsubscribe(canceller))).toBeObservable('-q|', life);
      m.flush();
      expect(canceller.ids).toStrictEqual([]);
    }),
  );

  it('S4 cancels once where a synchronous source is unsubscribed from in its own next', () => {
    const log: unknown[] = [];
    const canceller = {
      cancel: (id: string) => {
        log.push(`cancel ${id}`);
        return of(life.x);
      },
    };
    const source = concat(of(life.q, life.p, life.c), NEVER);
    source.pipe(cancelOnUnsubscribe(canceller), take(2)).subscribe(({ status }) => log.push(status));
    expect(log).toStrictEqual(['IN_QUEUE', 'IN_PROGRESS', 'cancel j']);
  });

  it('does not cancel where it is unsubscribed from at the terminal snapshot', () => {
    const canceller = cancelling();
    concat(of(life.q, life.c), NEVER).pipe(cancelOnUnsubscribe(canceller), take(2)).subscribe();
    expect(canceller.ids).toStrictEqual([]);
  });

  it('S4 cancels once where the cancel unsubscribes again', () => {
    const ids: string[] = [];
    const source$ = new Subject<JobSnapshot>();
    const subscription = source$
      .pipe(
        cancelOnUnsubscribe({
          cancel: (id) => {
            ids.push(id);
            subscription.unsubscribe();
            source$.next(life.x);
            return of(life.x);
          },
        }),
      )
      .subscribe();
    source$.next(life.p);
    subscription.unsubscribe();
    subscription.unsubscribe();
    expect(ids).toStrictEqual(['j']);
  });

  it('unsubscribes from the source before it cancels', () => {
    const log: string[] = [];
    const source = concat(of(life.p), NEVER).pipe(tap({ unsubscribe: () => log.push('left') }));
    const canceller = {
      cancel: () => {
        log.push('cancel');
        return of(life.x);
      },
    };
    source.pipe(cancelOnUnsubscribe(canceller)).subscribe().unsubscribe();
    expect(log).toStrictEqual(['left', 'cancel']);
  });

  it(
    'turns an exception while it reads a snapshot into an error, and cancels',
    marbles((m) => {
      const trap = Object.defineProperty({ ...life.p }, 'status', {
        get: () => {
          throw new Error('no status');
        },
      });
      const canceller = cancelling();
      const source = m.cold('-q-x--|', { q: life.q, x: trap });
      const seen = source.pipe(cancelOnUnsubscribe(canceller));
      m.expect(seen).toBeObservable('-q-#', life, new Error('no status'));
      m.expect(source).toHaveSubscriptions('^--!');
      m.flush();
      expect(canceller.ids).toStrictEqual(['j']);
    }),
  );

  it(
    'starts afresh with each subscription',
    marbles((m) => {
      const canceller = cancelling();
      const source = m.cold('-p--', life);
      const cancelled = source.pipe(cancelOnUnsubscribe(canceller));
      m.expect(cancelled.pipe(take(1), repeat(2))).toBeObservable('-p(p|)', life);
      m.flush();
      expect(canceller.ids).toStrictEqual(['j', 'j']);
      cancelled.subscribe().unsubscribe();
      expect(canceller.ids).toStrictEqual(['j', 'j']);
    }),
  );

  describe('a cancel that fails', () => {
    const broken = new Error('broken');
    const { onUnhandledError } = config;
    afterEach(() => {
      config.onUnhandledError = onUnhandledError;
    });

    const leave = (cancel: () => Observable<JobSnapshot>, onError?: (error: unknown, id: string) => void) => {
      concat(of(life.p), NEVER)
        .pipe(cancelOnUnsubscribe({ cancel }, onError && { onError }))
        .subscribe()
        .unsubscribe();
    };

    it.each([
      ['by its answer', () => throwError(() => broken)],
      [
        'at its call',
        () => {
          throw broken;
        },
      ],
    ])('calls onError with the id where it fails %s', (_, cancel) => {
      const onError = vi.fn();
      const unhandled = vi.fn();
      config.onUnhandledError = unhandled;
      leave(cancel, onError);
      expect(onError.mock.calls).toStrictEqual([[broken, 'j']]);
      expect(unhandled).not.toHaveBeenCalled();
    });

    it('calls the onUnhandledError of RxJS where there is no onError', () => {
      const unhandled = vi.fn();
      config.onUnhandledError = unhandled;
      leave(() => throwError(() => broken));
      expect(unhandled.mock.calls).toStrictEqual([[broken]]);
    });

    it('is not thrown where there is neither hook', async () => {
      const uncaught = vi.fn();
      process.on('uncaughtException', uncaught);
      onTestFinished(() => void process.off('uncaughtException', uncaught));
      config.onUnhandledError = null;
      vi.useFakeTimers();
      onTestFinished(() => void vi.useRealTimers());
      leave(() => throwError(() => broken));
      expect(() => vi.runAllTimers()).not.toThrow();
      expect(uncaught).not.toHaveBeenCalled();
    });

    it('is no error where it only has no answer', () => {
      const onError = vi.fn();
      leave(() => EMPTY, onError);
      expect(onError).not.toHaveBeenCalled();
    });
  });
});

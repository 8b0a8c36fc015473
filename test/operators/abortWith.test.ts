import { NEVER, finalize, of, retry, tap, timer } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { AbortedError } from '../../src/errors/AbortedError.js';
import { abortWith } from '../../src/operators/abortWith.js';
import { members } from '../fixtures/members.js';
import { marbles } from '../support/marbles.js';

const aborted = (
  operation = 'abortWith',
  reason: unknown = new DOMException('This operation was aborted', 'AbortError'),
) => new AbortedError({ operation, cause: reason });

/** A controller that aborts at a moment of virtual time. */
function abortingAt(ms: number, reason?: unknown) {
  const controller = new AbortController();
  const alarm$ = timer(ms).pipe(tap(() => controller.abort(reason)));
  return { signal: controller.signal, alarm$ };
}

function countListeners(signal: AbortSignal) {
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  vi.spyOn(signal, 'addEventListener').mockImplementation((...args: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, args);
  });
  vi.spyOn(signal, 'removeEventListener').mockImplementation((...args: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(signal, args);
  });
  return () => listeners;
}

describe('abortWith', () => {
  it(
    'S22 errors when the signal is aborted, and unsubscribes from the source',
    marbles((m) => {
      const { signal, alarm$ } = abortingAt(4);
      const source = m.hot('-a-b-c-|');
      const subs = '        ^---!';
      const expected = '    -a-b#';
      m.expect(alarm$).toBeObservable('----(0|)', { 0: 0 });
      m.expect(source.pipe(abortWith(signal))).toBeObservable(expected, undefined, aborted());
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  it('S22 has the context in its error, and the signal’s reason as the cause', () => {
    const controller = new AbortController();
    const seen: unknown[] = [];
    const context = vi.fn(() => ({ operation: 'status', jobId: 'j', accepted: 'no' as const }));
    NEVER.pipe(abortWith(controller.signal, context)).subscribe({ error: (error: unknown) => seen.push(error) });
    expect(context).not.toHaveBeenCalled();
    controller.abort('enough');
    expect(seen).toHaveLength(1);
    const error = seen[0] as AbortedError;
    expect(error).toBeInstanceOf(AbortedError);
    expect(members(error)).toStrictEqual({
      name: 'AbortError',
      code: 'aborted',
      operation: 'status',
      jobId: 'j',
      accepted: 'no',
      retryable: false,
    });
    expect(error.message).toBe('status was aborted');
    expect(error.cause).toBe('enough');
  });

  it(
    'S22 does not subscribe to the source where the signal is aborted already',
    marbles((m) => {
      const source = m.cold('a--|');
      const expected = '     #';
      m.expect(source.pipe(abortWith(AbortSignal.abort('before')))).toBeObservable(
        expected,
        undefined,
        aborted('abortWith', 'before'),
      );
      m.expect(source).toHaveSubscriptions([]);
    }),
  );

  it(
    'returns the source where there is no signal',
    marbles((m) => {
      const source = m.cold('-a-b|');
      expect(source.pipe(abortWith(undefined))).toBe(source);
      m.expect(source.pipe(abortWith(undefined))).toBeObservable('-a-b|');
      m.expect(source).toHaveSubscriptions('                      ^---!');
    }),
  );

  it(
    'errors as the source does',
    marbles((m) => {
      const source = m.cold('-a-#');
      m.expect(source.pipe(abortWith(new AbortController().signal))).toBeObservable('-a-#');
      m.expect(source).toHaveSubscriptions('                                         ^--!');
    }),
  );

  it(
    'completes as an empty source does, and ignores a later abort',
    marbles((m) => {
      const { signal, alarm$ } = abortingAt(4);
      const source = m.cold('--|');
      m.expect(alarm$).toBeObservable('----(0|)', { 0: 0 });
      m.expect(source.pipe(abortWith(signal))).toBeObservable('--|');
      m.expect(source).toHaveSubscriptions('                   ^-!');
    }),
  );

  it(
    'never ends where neither the source nor the signal does',
    marbles((m) => {
      const source = m.cold('---');
      m.expect(source.pipe(abortWith(new AbortController().signal))).toBeObservable('---');
      m.expect(source).toHaveSubscriptions('                                         ^--');
    }),
  );

  it(
    'works on a synchronous source',
    marbles((m) => {
      m.expect(of('a', 'b').pipe(abortWith(new AbortController().signal))).toBeObservable('(ab|)');
    }),
  );

  it('turns an exception of the callback into an error', () => {
    const context = (): never => {
      throw new Error('no context');
    };
    const errors: unknown[] = [];
    const controller = new AbortController();
    NEVER.pipe(abortWith(controller.signal, context)).subscribe({ error: (error: unknown) => errors.push(error) });
    controller.abort();
    NEVER.pipe(abortWith(controller.signal, context)).subscribe({ error: (error: unknown) => errors.push(error) });
    expect(errors).toStrictEqual([new Error('no context'), new Error('no context')]);
  });

  it(
    'unsubscribes from the source when it is unsubscribed from',
    marbles((m) => {
      const source = m.hot('-a-b-c-|');
      const unsub = '       ^---!';
      m.expect(source.pipe(abortWith(new AbortController().signal)), unsub).toBeObservable('-a-b-');
      m.expect(source).toHaveSubscriptions(unsub);
    }),
  );

  it.each([
    ['completes', of(1)],
    ['is left', NEVER],
  ])('removes its listener from the signal when it %s', (_, source) => {
    const { signal } = new AbortController();
    const listeners = countListeners(signal);
    const left = vi.fn();
    const subscription = source.pipe(finalize(left), abortWith(signal)).subscribe();
    if (source === NEVER) expect(listeners()).toBe(1);
    subscription.unsubscribe();
    expect(listeners()).toBe(0);
    expect(signal.addEventListener).toHaveBeenCalledOnce();
    expect(left).toHaveBeenCalledOnce();
  });

  it(
    'reads the state of the signal with each subscription',
    marbles((m) => {
      const { signal, alarm$ } = abortingAt(4);
      const source = m.cold('-a-#');
      const subs = ['        ^--!', '---^!'];
      const expected = '     -a--#';
      m.expect(alarm$).toBeObservable('----(0|)', { 0: 0 });
      m.expect(source.pipe(abortWith(signal), retry(2))).toBeObservable(expected, undefined, aborted());
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );
});

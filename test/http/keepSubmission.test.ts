import { EMPTY, NEVER, Observable, Subject, of, takeUntil, throwError } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import type { CallState } from '../../src/http/CallState.js';
import { keepSubmission } from '../../src/http/keepSubmission.js';
import { marbles } from '../support/marbles.js';

/** The state of a call; `maybeReceived` says whether it was sent. */
function callState(maybeReceived: boolean): CallState {
  return { id: 1, attempt: 1, maybeReceived, abandoned: false, secrets: [], lagUntil: 0, urgent: false };
}

/** Subscribes to a submission that the test answers through `source`; `seen` is what the subscriber receives. */
function submit({ sent }: { readonly sent: boolean }) {
  const source = new Subject<string>();
  const state = callState(sent);
  const useAnswer = vi.fn<(answer: string | undefined) => void>();
  const onAbandoned = vi.fn(() => useAnswer);
  const seen: unknown[] = [];
  const subscription = keepSubmission(source, state, onAbandoned).subscribe({
    next: (answer) => seen.push(answer),
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('complete'),
  });
  return { source, state, useAnswer, onAbandoned, seen, subscription };
}

const notAbandoned = (): never => {
  throw new Error('the submission was not abandoned');
};

describe('keepSubmission, for a subscriber that stays', () => {
  it(
    'passes the answer and the completion on',
    marbles((m) => {
      const source = m.cold('  ---a--|');
      const subscription = '   ^-----!';
      const expected = '       ---a--|';
      m.expect(keepSubmission(source, callState(false), notAbandoned)).toBeObservable(expected);
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  it(
    'passes an error on',
    marbles((m) => {
      const source = m.cold('  ---#');
      const subscription = '   ^--!';
      const expected = '       ---#';
      m.expect(keepSubmission(source, callState(true), notAbandoned)).toBeObservable(expected);
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  it.each([false, true])('passes synchronous answers on; sent: %s', (sent) => {
    const state = callState(sent);
    const seen: unknown[] = [];
    const see = (source: Observable<string>) => {
      keepSubmission(source, state, notAbandoned).subscribe({
        next: (answer) => seen.push(answer),
        error: (error: unknown) => seen.push(error),
        complete: () => seen.push('complete'),
      });
    };
    see(of('answer'));
    see(throwError(() => 'error'));
    expect(seen).toEqual(['answer', 'complete', 'error']);
    expect(state.abandoned).toBe(false);
  });

  it(
    'is cold: each subscription submits',
    marbles((m) => {
      const source = m.cold('    --(a|)');
      const first = '            ^-!   ';
      const second = '           ---^-!';
      const kept = keepSubmission(source, callState(false), notAbandoned);
      m.expect(kept, '           ^     ').toBeObservable('--(a|)');
      m.expect(kept, '           ---^  ').toBeObservable('-----(a|)');
      m.expect(source).toHaveSubscriptions([first, second]);
    }),
  );
});

describe('S5 keepSubmission, for a subscriber that leaves before the submission is sent', () => {
  it(
    'unsubscribes from the submission',
    marbles((m) => {
      const source = m.cold('    ------(a|)');
      const subscriber = '       ^--!      ';
      const subscription = '     ^--!      ';
      const expected = '         ----------';
      m.expect(keepSubmission(source, callState(false), notAbandoned), subscriber).toBeObservable(expected);
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  it('marks the call as abandoned, and does not call onAbandoned', () => {
    const { source, state, onAbandoned, seen, subscription } = submit({ sent: false });
    expect(source.observed).toBe(true);
    expect(state.abandoned).toBe(false);
    subscription.unsubscribe();
    expect(source.observed).toBe(false);
    expect(state.abandoned).toBe(true);
    expect(onAbandoned).not.toHaveBeenCalled();
    expect(seen).toEqual([]);
  });
});

describe('S5 keepSubmission, for a subscriber that leaves after the submission was sent', () => {
  it(
    'stays subscribed until the answer has come',
    marbles((m) => {
      const source = m.cold('    ------(a|)');
      const subscriber = '       ^--!      ';
      const subscription = '     ^-----!   ';
      const expected = '         ----------';
      const kept = keepSubmission(source, callState(true), () => () => undefined);
      m.expect(kept, subscriber).toBeObservable(expected);
      m.expect(source).toHaveSubscriptions(subscription);
    }),
  );

  it('gives the answer to the function, and not to the subscriber', () => {
    const { source, state, onAbandoned, useAnswer, seen, subscription } = submit({ sent: true });
    expect(onAbandoned).not.toHaveBeenCalled();
    subscription.unsubscribe();
    expect(state.abandoned).toBe(true);
    expect(onAbandoned).toHaveBeenCalledOnce();
    expect(source.observed).toBe(true);
    expect(useAnswer).not.toHaveBeenCalled();
    source.next('answer');
    source.complete();
    expect(useAnswer.mock.calls).toEqual([['answer']]);
    expect(onAbandoned).toHaveBeenCalledOnce();
    expect(seen).toEqual([]);
  });

  it('gives undefined and the error to the function where an error comes, and the error to nobody else', () => {
    const { source, useAnswer, seen, subscription } = submit({ sent: true });
    subscription.unsubscribe();
    const error = new Error('reset');
    source.error(error);
    expect(useAnswer.mock.calls).toEqual([[undefined, error]]);
    expect(seen).toEqual([]);
  });

  it('checks at the moment of leaving whether the submission was sent', () => {
    const { source, state, onAbandoned, subscription } = submit({ sent: false });
    state.maybeReceived = true;
    subscription.unsubscribe();
    expect(source.observed).toBe(true);
    expect(onAbandoned).toHaveBeenCalledOnce();
  });

  it('unsubscribing again changes nothing', () => {
    const { source, onAbandoned, subscription } = submit({ sent: true });
    subscription.unsubscribe();
    subscription.unsubscribe();
    expect(source.observed).toBe(true);
    expect(onAbandoned).toHaveBeenCalledOnce();
  });
});

describe.each([false, true])('S5 keepSubmission, for a subscriber that leaves after the answer; sent: %s', (sent) => {
  it('does nothing after the answer, even if the submission has not completed', () => {
    const { source, state, onAbandoned, seen, subscription } = submit({ sent });
    source.next('answer');
    subscription.unsubscribe();
    source.complete();
    expect(seen).toEqual(['answer']);
    expect(state.abandoned).toBe(false);
    expect(onAbandoned).not.toHaveBeenCalled();
  });

  it('does nothing after an error', () => {
    const { source, state, onAbandoned, seen, subscription } = submit({ sent });
    source.error('error');
    subscription.unsubscribe();
    expect(seen).toEqual(['error']);
    expect(state.abandoned).toBe(false);
    expect(onAbandoned).not.toHaveBeenCalled();
  });

  it('does nothing where the subscriber leaves in its next callback', () => {
    const source = new Subject<string>();
    const state = callState(sent);
    const seen: string[] = [];
    const subscription = keepSubmission(source, state, notAbandoned).subscribe((answer) => {
      seen.push(answer);
      subscription.unsubscribe();
    });
    source.next('answer');
    source.complete();
    expect(seen).toEqual(['answer']);
    expect(state.abandoned).toBe(false);
  });
});

describe('S5 keepSubmission, for a subscriber that leaves while the submission is being subscribed to', () => {
  /** A submission during whose subscription the subscriber leaves; it goes on like `rest`. */
  function leaveDuringSubscribe(sent: boolean, rest: Observable<string>) {
    const leave = new Subject<void>();
    const state = callState(false);
    const useAnswer = vi.fn<(answer: string | undefined) => void>();
    const onAbandoned = vi.fn(() => useAnswer);
    const teardown = vi.fn();
    const abandonedMeanwhile: boolean[] = [];
    const source = new Observable<string>((subscriber) => {
      subscriber.add(teardown);
      state.maybeReceived = sent;
      leave.next();
      abandonedMeanwhile.push(state.abandoned);
      return rest.subscribe(subscriber);
    });
    const seen: unknown[] = [];
    keepSubmission(source, state, onAbandoned)
      .pipe(takeUntil(leave))
      .subscribe((answer) => seen.push(answer));
    return { useAnswer, onAbandoned, teardown, abandonedMeanwhile, seen };
  }

  it('marks the call as abandoned at once, so that the request is not made, and unsubscribes', () => {
    const { onAbandoned, teardown, abandonedMeanwhile, seen } = leaveDuringSubscribe(false, NEVER);
    expect(abandonedMeanwhile).toEqual([true]);
    expect(teardown).toHaveBeenCalledOnce();
    expect(onAbandoned).not.toHaveBeenCalled();
    expect(seen).toEqual([]);
  });

  it('goes on where the submission was sent by then', () => {
    const { onAbandoned, teardown, abandonedMeanwhile, useAnswer } = leaveDuringSubscribe(true, NEVER);
    expect(abandonedMeanwhile).toEqual([true]);
    expect(onAbandoned).toHaveBeenCalledOnce();
    expect(teardown).not.toHaveBeenCalled();
    expect(useAnswer).not.toHaveBeenCalled();
  });

  it('gives a synchronous answer to the function where the submission was sent by then', () => {
    const { useAnswer, teardown, seen } = leaveDuringSubscribe(true, of('answer'));
    expect(useAnswer.mock.calls).toEqual([['answer']]);
    expect(teardown).toHaveBeenCalledOnce();
    expect(seen).toEqual([]);
  });

  it('does not call onAbandoned where the submission completes without an answer', () => {
    const { onAbandoned, seen, teardown } = leaveDuringSubscribe(false, EMPTY);
    expect(teardown).toHaveBeenCalledOnce();
    expect(onAbandoned).not.toHaveBeenCalled();
    expect(seen).toEqual([]);
  });
});

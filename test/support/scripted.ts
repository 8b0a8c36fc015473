import type { Observable } from 'rxjs';
import { HttpError } from '../../src/errors/HttpError.js';

/** A read that gives each of these in its turn, and the last of them from then on. */
export function inTurn<T>(...answers: readonly [Observable<T>, ...Observable<T>[]]): () => Observable<T> {
  let turn = 0;
  return () => answers[Math.min(turn++, answers.length - 1)]!;
}

/** The error for an answer with this status; 408, 429 and 5xx are retryable, as from the client. */
export function httpError(status: number, retryAfter?: number): HttpError {
  return new HttpError(
    `answered ${status}`,
    { operation: 'status', jobId: 'j' },
    { status, retryAfter, retryable: status === 408 || status === 429 || status >= 500 },
  );
}

/** Subscriptions that end in the moment they begin, at these times. */
export function momentsAt(...times: readonly number[]): string[] {
  return times.map((time) => `${time}ms (^!)`);
}

/** The numbers from 0 by a step, so many of them. */
export function series(count: number, step = 1): number[] {
  return Array.from({ length: count }, (_, index) => index * step);
}

/** The error of RxJS for a source that gave nothing where it had to, as far as marbles compare it. */
export const noElements = Object.assign(new Error('no elements in sequence'), { name: 'EmptyError' });

import type { Observable } from 'rxjs';
import { HttpError } from '../../src/errors/HttpError.js';

/** A read that gives one answer after the other, and then the last answer again and again. */
export function inTurn<T>(...answers: readonly [Observable<T>, ...Observable<T>[]]): () => Observable<T> {
  let turn = 0;
  return () => answers[Math.min(turn++, answers.length - 1)]!;
}

/** The error for an answer with this status. As in the client, 408, 429 and 5xx are retryable. */
export function httpError(status: number, retryAfter?: number): HttpError {
  return new HttpError(
    `answered ${status}`,
    { operation: 'status', jobId: 'j' },
    { status, retryAfter, retryable: status === 408 || status === 429 || status >= 500 },
  );
}

/** Subscriptions at these times that end at once. */
export function momentsAt(...times: readonly number[]): string[] {
  return times.map((time) => `${time}ms (^!)`);
}

/** `count` numbers from 0 on, by a step. */
export function series(count: number, step = 1): number[] {
  return Array.from({ length: count }, (_, index) => index * step);
}

/** RxJS's error for a source that completes without a required value, as far as marbles compare errors. */
export const noElements = Object.assign(new Error('no elements in sequence'), { name: 'EmptyError' });

import type { Observable } from 'rxjs';
import { assertOptions, invalidOptions } from '../errors/invalidOptions.js';
import { countOrInfinity, having, type Checks } from '../protocol/checkOptions.js';
import { ObservableIterator } from './ObservableIterator.js';

/** Options of {@link iterate}. */
export interface IterateOptions {
  /**
   * How many values may wait for the loop. One value more ends the loop with `BufferOverflowError`, after the values
   * that wait, and unsubscribes.
   * @defaultValue `Infinity`: nothing is lost, and memory is the bound
   */
  readonly buffer?: number;
}

const OPTIONS: Checks<IterateOptions> = { buffer: countOrInfinity(1) };

const checkSource = having('an Observable, such as chunks$ or state$ of a job', 'subscribe', 'pipe');

/**
 * The values of an Observable for `for await`, such as the chunks of a job or the items of a pipeline.
 *
 * ```ts
 * for await (const { text } of iterate(job.chunks$)) console.log(text);
 * ```
 *
 * Each loop subscribes once, when it asks for its first value. The loop ends when the Observable completes, and throws its
 * error. Values that arrive while the body of the loop runs wait in a buffer, and come before the end and before an error.
 *
 * Leaving the loop by `break`, `return` or an exception unsubscribes. From the chunks of a job made by `job()`, this cancels
 * the job on the server unless its options say otherwise. Calling `return()` of an iterator unsubscribes at once, also
 * while it waits for a value: so does a `ReadableStream` made of the iteration, when it is cancelled.
 *
 * An Observable does not wait for the loop. A pipeline whose next job must wait until an item is stored stores it in its
 * option `commit`. Throws `ConfigurationError` for options that cannot work, and for what is no Observable.
 */
export function iterate<T>(source: Observable<T>, options: IterateOptions = {}): AsyncIterable<T> {
  const issues = checkSource(source, 'source');
  if (issues.length) throw invalidOptions('iterate', issues);
  assertOptions('iterate', options, OPTIONS);
  const { buffer = Infinity } = options;
  return { [Symbol.asyncIterator]: () => new ObservableIterator(source, buffer) };
}

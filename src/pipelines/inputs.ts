import { takeWhile, type Observable } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';
import { reportUnhandled } from '../errors/reportUnhandled.js';
import type { JobRequest } from '../types/JobRequest.js';

/** The inputs of a pipeline; a Node stream of requests is an async iterable. */
export type PipelineInputs<I extends object> = Iterable<JobRequest<I>> | AsyncIterable<JobRequest<I>>;

/** The side of a pipeline that receives inputs. */
export interface InputSink<T> {
  /** Whether more inputs are wanted. */
  readonly accepting: boolean;
  enqueue(input: T): void;
  /** There are no more inputs. */
  end(): void;
  /** There are no more inputs, because of an error. */
  fail(error: unknown): void;
}

/** Provides the inputs of a pipeline. */
export interface InputSource {
  /** How many inputs there are, where that is known. */
  readonly total?: number | undefined;
  /** Asks for one input. Absent where the source pushes its inputs by itself. */
  pull?(): void;
  /** No more inputs are wanted. May throw what the caller's own iterator or Observable does. */
  close(): void;
}

/** Connects a source to the sink of a pipeline. */
export type OpenInputSource<T> = (sink: InputSink<T>) => InputSource;

/** Pulls inputs from an iterable, one at a time. */
export function fromIterable<T>(inputs: Iterable<T> | AsyncIterable<T>): OpenInputSource<T> {
  const total = countOf(inputs);
  if (Symbol.asyncIterator in Object(inputs)) return fromAsyncIterator(inputs as AsyncIterable<T>, total);
  if (Symbol.iterator in Object(inputs)) return fromSyncIterator(inputs as Iterable<T>, total);
  throw new ConfigurationError('runAll takes an iterable, from which it pulls; for an Observable there is runEach', {
    operation: 'runAll',
  });
}

/** How many inputs an array, a set or a map holds. */
function countOf(inputs: unknown): number | undefined {
  const { length, size } = Object(inputs) as { readonly length?: unknown; readonly size?: unknown };
  const count = length ?? size;
  return typeof count === 'number' ? count : undefined;
}

function fromSyncIterator<T>(inputs: Iterable<T>, total: number | undefined): OpenInputSource<T> {
  return (sink) => {
    const iterator = inputs[Symbol.iterator]();
    return {
      total,
      pull: () => {
        deliver(sink, iterator.next());
      },
      close: () => {
        iterator.return?.();
      },
    };
  };
}

function fromAsyncIterator<T>(inputs: AsyncIterable<T>, total: number | undefined): OpenInputSource<T> {
  return (sink) => {
    const iterator = inputs[Symbol.asyncIterator]();
    return {
      total,
      pull: () => {
        // An iterator may give anything: `deliver` may throw, too, and nobody else would be told.
        Promise.resolve(iterator.next())
          .then((result) => {
            deliver(sink, result);
          })
          .catch((error: unknown) => {
            sink.fail(error);
          });
      },
      close: () => {
        Promise.resolve(iterator.return?.()).catch(reportUnhandled);
      },
    };
  };
}

/** Receives the inputs that an Observable pushes. */
export function fromObservable<T>(source: Observable<T>): OpenInputSource<T> {
  return (sink) => {
    // A synchronous source emits before `subscription` exists; this ends it when the sink accepts no more.
    // eslint-disable-next-line rxjs-x/no-ignored-takewhile-value -- the sink decides, whatever the value
    const subscription = source.pipe(takeWhile(() => sink.accepting)).subscribe({
      next: (input) => {
        sink.enqueue(input);
      },
      error: (error: unknown) => {
        sink.fail(error);
      },
      complete: () => {
        sink.end();
      },
    });
    return {
      close: () => {
        subscription.unsubscribe();
      },
    };
  };
}

function deliver<T>(sink: InputSink<T>, result: IteratorResult<T, unknown>): void {
  if (result.done) sink.end();
  else sink.enqueue(result.value);
}

/** Closes a source. What the caller's iterator or Observable throws then must keep no job from its end. */
export function closeQuietly(source: InputSource | undefined): void {
  try {
    source?.close();
  } catch (error) {
    reportUnhandled(error);
  }
}

import { config, takeWhile, type Observable } from 'rxjs';
import { ConfigurationError } from '../errors/ConfigurationError.js';

/** Where the inputs of a pipeline go. */
export interface InputSink<T> {
  /** Whether it takes more. */
  readonly open: boolean;
  take(input: T): void;
  /** There are no more, because of an error or not. */
  end(failure?: { readonly error: unknown }): void;
}

/** Where the inputs of a pipeline come from. */
export interface InputSource {
  /** How many there are, if that is known. */
  readonly total?: number | undefined;
  /** Asks for one; one that pushes by itself needs not be asked. */
  pull?(): void;
  /** Nothing more is wanted. */
  leave(): void;
}

/** Begins to give inputs. */
export type OpenInputSource<T> = (intake: InputSink<T>) => InputSource;

/** Pulls from an iterable, one at a time. */
export function fromIterable<T>(inputs: Iterable<T> | AsyncIterable<T>): OpenInputSource<T> {
  const { length, size } = Object(inputs) as { readonly length?: unknown; readonly size?: unknown };
  const count = length ?? size;
  const total = typeof count === 'number' ? count : undefined;
  if (Symbol.asyncIterator in Object(inputs)) return pullingAsync(inputs as AsyncIterable<T>, total);
  if (Symbol.iterator in Object(inputs)) return pullingSync(inputs as Iterable<T>, total);
  throw new ConfigurationError('runAll takes an iterable, from which it pulls; for an Observable there is runEach', {
    operation: 'runAll',
  });
}

function pullingSync<T>(inputs: Iterable<T>, total: number | undefined): OpenInputSource<T> {
  return (intake) => {
    const iterator = inputs[Symbol.iterator]();
    return {
      total,
      pull: () => {
        accept(intake, iterator.next());
      },
      leave: () => {
        try {
          iterator.return?.();
        } catch (error) {
          report(error);
        }
      },
    };
  };
}

function pullingAsync<T>(inputs: AsyncIterable<T>, total: number | undefined): OpenInputSource<T> {
  return (intake) => {
    const iterator = inputs[Symbol.asyncIterator]();
    return {
      total,
      pull: () => {
        iterator.next().then(
          (result) => {
            accept(intake, result);
          },
          (error: unknown) => {
            intake.end({ error });
          },
        );
      },
      leave: () => {
        Promise.resolve(iterator.return?.()).catch(report);
      },
    };
  };
}

/** Takes what an Observable pushes. */
export function fromObservable<T>(source: Observable<T>): OpenInputSource<T> {
  return (intake) => {
    // One that gives all it has at once is left while it does.
    // eslint-disable-next-line rxjs-x/no-ignored-takewhile-value -- any value is refused then
    const subscription = source.pipe(takeWhile(() => intake.open)).subscribe({
      next: (input) => {
        intake.take(input);
      },
      error: (error: unknown) => {
        intake.end({ error });
      },
      complete: () => {
        intake.end();
      },
    });
    return {
      leave: () => {
        subscription.unsubscribe();
      },
    };
  };
}

function accept<T>(intake: InputSink<T>, result: IteratorResult<T, unknown>): void {
  if (result.done) intake.end();
  else intake.take(result.value);
}

/** Who has left gets no more errors: they go where RxJS sends those that nobody can take. */
function report(error: unknown): void {
  config.onUnhandledError?.(error);
}

import { Subject, takeUntil, type Observable } from 'rxjs';
import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import { ValueQueue } from './ValueQueue.js';

/** A call of `next()` that waits for a value. */
interface PendingRead<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE = { done: true, value: undefined } as const;

/** The values of one subscription, given out one at a time. Subscribes at the first `next()`. */
export class ObservableIterator<T> implements AsyncIterator<T, undefined> {
  readonly #source: Observable<T>;
  readonly #bufferSize: number;
  /** Values that wait for a read; empty while reads wait. */
  readonly #values = new ValueQueue<T>();
  /** Reads that wait for a value; empty while values wait. */
  readonly #reads = new ValueQueue<PendingRead<T>>();
  /** Unsubscribes from the source, also while it emits synchronously. */
  readonly #end$ = new Subject<void>();
  #subscribed = false;
  #ended = false;
  /** The source's error, or the overflow of the buffer: thrown once, after the values that wait. */
  #failure: { readonly error: unknown } | undefined;

  constructor(source: Observable<T>, bufferSize: number) {
    this.#source = source;
    this.#bufferSize = bufferSize;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return new Promise((resolve, reject) => {
      this.#reads.push({ resolve, reject });
      this.#serveReads();
      if (!this.#subscribed && !this.#ended) this.#subscribe();
    });
  }

  /** Unsubscribes, and drops the values that wait. Reads that wait are told the end. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#values.clear();
    this.#failure = undefined;
    this.#end();
    return Promise.resolve(DONE);
  }

  #subscribe(): void {
    this.#subscribed = true;
    this.#source.pipe(takeUntil(this.#end$)).subscribe({
      next: (value) => {
        this.#push(value);
      },
      error: (error: unknown) => {
        this.#fail(error);
      },
      complete: () => {
        this.#end();
      },
    });
  }

  #push(value: T): void {
    if (this.#values.size < this.#bufferSize) {
      this.#values.push(value);
      this.#serveReads();
      return;
    }
    const message = `a value came while ${this.#bufferSize} were waiting for the loop already (option buffer)`;
    this.#fail(new BufferOverflowError(message, { operation: 'iterate' }));
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#serveReads();
    this.#end$.next();
  }

  /** Gives the waiting reads what there is: values first, then the failure, then the end. */
  #serveReads(): void {
    while (this.#reads.size > 0 && (this.#values.size > 0 || this.#ended)) {
      const [read] = this.#reads.take();
      const values = this.#values.take();
      if (values.length > 0) read?.resolve({ done: false, value: values[0] as T });
      else this.#settleEnd(read);
    }
  }

  #settleEnd(read: PendingRead<T> | undefined): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure) read?.reject(failure.error);
    else read?.resolve(DONE);
  }
}

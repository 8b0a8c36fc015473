import { defer, finalize, tap, throwError, type Observable } from 'rxjs';
import type { RunpodError } from '../errors/RunpodError.js';
import { streamCursor, type StreamCursor } from '../sources/StreamCursor.js';
import { Recent } from './Recent.js';

/** How many streams that were left before their end are remembered, the newest. */
const LEFT = 256;

/** The streams of an endpoint's jobs: one reader each, and how far those were read whose reader left. */
export class StreamReads {
  readonly #read = new Set<string>();
  readonly #left = new Recent<StreamCursor>(LEFT);

  /** Gives a job's stream to one reader, from where the last one left it. */
  open<T>(id: string, inUse: () => RunpodError, read: (cursor: StreamCursor) => Observable<T>): Observable<T> {
    return defer(() => {
      if (this.#read.has(id)) return throwError(inUse);
      const cursor = this.#left.get(id) ?? streamCursor();
      this.#left.delete(id);
      this.#read.add(id);
      let drained = false;
      return read(cursor).pipe(
        tap({ complete: () => (drained = true) }),
        finalize(() => {
          this.#read.delete(id);
          if (!drained && (cursor.count || cursor.pending.length || cursor.gap)) this.#left.set(id, cursor);
        }),
      );
    });
  }
}

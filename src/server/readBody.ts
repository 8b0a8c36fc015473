import { Observable } from 'rxjs';

/** A body is longer than allowed. */
export class TooLargeError extends Error {}

/** How much is made room for at first, in bytes. */
const FIRST_SIZE = 64 * 1024;

/**
 * Reads a body to its end: emits its bytes and completes. Errors as soon as it is longer than `max`, or when it breaks off.
 * Unsubscribing, too, has its sender stopped.
 */
export function readBody(body: Request['body'], max: number): Observable<Uint8Array> {
  return new Observable((subscriber) => {
    if (!body) {
      subscriber.next(new Uint8Array());
      subscriber.complete();
      return undefined;
    }
    // One buffer that grows: a body that comes byte by byte must not take an object for each.
    let bytes = new Uint8Array(Math.min(FIRST_SIZE, max));
    let size = 0;
    // What comes without any bytes counts, too: it could come for ever.
    let counted = 0;
    const parts = body.getReader();
    const take = (part: Uint8Array) => {
      counted += Math.max(1, part.byteLength);
      if (counted > max) {
        subscriber.error(new TooLargeError());
        return;
      }
      const needed = size + part.byteLength;
      if (needed > bytes.length) {
        const larger = new Uint8Array(Math.min(max, Math.max(needed, bytes.length * 2)));
        larger.set(bytes.subarray(0, size));
        bytes = larger;
      }
      bytes.set(part, size);
      size = needed;
    };
    const read = async () => {
      while (!subscriber.closed) {
        const { done, value } = await parts.read();
        if (done) break;
        take(value);
      }
      subscriber.next(bytes.subarray(0, size));
      subscriber.complete();
    };
    read().catch((error: unknown) => {
      subscriber.error(error);
    });
    return () => {
      // A body that was read to its end cannot be cancelled, and needs not.
      parts.cancel().catch(() => undefined);
    };
  });
}

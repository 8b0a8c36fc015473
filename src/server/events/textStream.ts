import { EMPTY, Subscription, fromEvent, of, takeUntil, type Observable } from 'rxjs';

/** How many bytes may wait for a page that reads slowly. */
const MAX_WAITING = 4_000_000;

/**
 * The body of an answer that goes on. The texts are unsubscribed from when the body is cancelled, when the signal is
 * aborted, and when more waits for the page than it should: that page's connection breaks, and holds up nobody.
 */
export function textStream(text$: Observable<string>, signal: AbortSignal): ReadableStream<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder();
  const subscription = new Subscription();
  const start = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
    const aborted$: Observable<unknown> = signal.aborted ? of(undefined) : fromEvent(signal, 'abort');
    const source$ = signal.aborted ? EMPTY : text$.pipe(takeUntil(aborted$));
    subscription.add(
      source$.subscribe({
        next: (text) => {
          if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
          else if (!subscription.closed) {
            subscription.unsubscribe();
            controller.error(new Error('the page reads its events too slowly'));
          }
        },
        error: (error: unknown) => {
          controller.error(error);
        },
        complete: () => {
          controller.close();
        },
      }),
    );
  };
  const cancel = () => {
    subscription.unsubscribe();
  };
  return new ReadableStream({ start, cancel }, new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING }));
}

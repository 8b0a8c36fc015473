import { Subscription, concat, map, of } from 'rxjs';
import type { KeptStream } from '../streams/KeptStream.js';
import { reportUnhandled } from '../../errors/reportUnhandled.js';
import { formatEvent } from './formatEvent.js';

/** A stream that a page reads. */
export interface AskedStream {
  readonly endpointId: string;
  /** The job's. */
  readonly id: string;
  readonly stream: Pick<KeptStream, 'isOver' | 'follow'>;
}

/** How many streams of a user are pushed. Pages read the others as they would without events. */
const MAX_STREAMS = 100;

/** How many characters an event may have. Pages ask for what is larger. */
const MAX_EVENT = 256_000;

/**
 * The streams that the pages of one user read, pushed to them while they are connected. The events are not logged: a page
 * whose connection broke asks for what it has missed.
 */
export class StreamPushes {
  readonly #tell: (text: string) => void;
  /** The one that was asked for last at the end. */
  readonly #asked = new Map<string, AskedStream>();
  readonly #subscriptions = new Map<string, Subscription>();
  #isConnected = false;

  /** @param tell - sends an event to the pages that are connected */
  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** A page asks for a stream. It is told where the stream is, and from then on what comes. The rest of one that is over is the answer. */
  asked(asked: AskedStream): void {
    if (asked.stream.isOver) return;
    const key = `${asked.endpointId}/${asked.id}`;
    this.#asked.delete(key);
    this.#asked.set(key, asked);
    if (this.#isConnected) this.#push(key, asked);
    const [oldest = ''] = this.#asked.keys();
    if (this.#asked.size > MAX_STREAMS) this.#drop(oldest);
  }

  connected(): void {
    this.#isConnected = true;
    for (const [key, asked] of this.#asked) {
      if (!this.#subscriptions.has(key)) this.#push(key, asked);
    }
  }

  /** The last page has left. */
  disconnected(): void {
    this.#isConnected = false;
    for (const subscription of this.#subscriptions.values()) subscription.unsubscribe();
    this.#subscriptions.clear();
  }

  stop(): void {
    this.disconnected();
    this.#asked.clear();
  }

  #push(key: string, asked: AskedStream): void {
    this.#subscriptions.get(key)?.unsubscribe();
    const subscription = new Subscription();
    this.#subscriptions.set(key, subscription);
    const event$ = concat(asked.stream.follow(MAX_EVENT), of(undefined)).pipe(
      map((answer) => streamEvent(asked, answer)),
    );
    subscription.add(
      event$.subscribe({
        next: this.#tell,
        error: reportUnhandled,
        complete: () => {
          if (this.#subscriptions.get(key) === subscription) this.#drop(key);
        },
      }),
    );
  }

  #drop(key: string): void {
    this.#subscriptions.get(key)?.unsubscribe();
    this.#subscriptions.delete(key);
    this.#asked.delete(key);
  }
}

function streamEvent({ endpointId, id }: AskedStream, answer = 'null'): string {
  return formatEvent(
    'stream',
    `{"endpointId":${JSON.stringify(endpointId)},"job":${JSON.stringify({ id })},"stream":${answer}}`,
  );
}

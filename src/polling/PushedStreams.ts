import type { SchedulerLike } from 'rxjs';
import type { KeptReply } from '../sources/keptStream.js';
import { PushedStream } from './PushedStream.js';

/** The streams that are being read, and what the source of notices says of them. */
export class PushedStreams {
  #isAnnounced = false;
  #isRefused = false;
  readonly #scheduler: SchedulerLike;
  readonly #streams = new Map<string, PushedStream>();

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Whether the server keeps the streams: each read then says where the reader is. */
  get isKept(): boolean {
    return this.#isAnnounced && !this.#isRefused;
  }

  /** The source of notices says whether the server keeps the streams. */
  announce(isKept: boolean): void {
    this.#isAnnounced = isKept;
  }

  /** The server itself shows that it does not, which counts for more. */
  refuse(): void {
    this.#isRefused = true;
  }

  /** A job's stream is read from now on. */
  open(id: string): PushedStream {
    const stream = new PushedStream(this.#scheduler);
    this.#streams.set(id, stream);
    return stream;
  }

  close(id: string): void {
    this.#streams.delete(id);
  }

  /** The source pushes an answer, or, by `undefined`, no more of the stream. */
  push(id: string, reply: KeptReply | undefined): void {
    this.#streams.get(id)?.set(reply);
  }

  /** The source pushes nothing any more. */
  stop(): void {
    for (const stream of this.#streams.values()) stream.set(undefined);
  }
}

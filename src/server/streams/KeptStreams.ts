import type { SchedulerLike } from 'rxjs';
import type { Endpoint } from '../../index.js';
import { KeptStream } from './KeptStream.js';
import type { StreamLog, StreamPosition } from './StreamLog.js';

/** How many streams are kept beside those that are read, and how many characters of one that pages have had, and of all. */
const MAX_STREAMS = 10_000;
const MAX_SIZE = 8_000_000;
const MAX_SIZE_OF_ALL = 64_000_000;

/** How many characters of one stream are read before a page has had them. Where there is little room, none are. */
const MAX_AHEAD = 2_000_000;
const LITTLE_ROOM = MAX_SIZE_OF_ALL / 4;

/** After how long without a question a stream is surely not read any more, in milliseconds. */
const IDLE = 120_000;

/** How long the chunks are kept after a page has asked for them last, in milliseconds, and how long is known what there was. */
const KEEP_CHUNKS = 300_000;
const KEEP = 1_800_000;

interface Kept {
  readonly stream: KeptStream;
  readonly askedAt: number;
}

/** The streams of an endpoint's jobs that pages read, within bounds. */
export class KeptStreams {
  readonly #endpoint: Pick<Endpoint, 'readStream'>;
  readonly #scheduler: SchedulerLike;
  /** By the job's id, the one that was asked for last at the end. */
  readonly #streams = new Map<string, Kept>();
  /** How many characters all streams take. */
  #size = 0;

  readonly #ended: (id: string) => void;

  /** @param ended - called when a job's stream is over */
  constructor(endpoint: Pick<Endpoint, 'readStream'>, scheduler: SchedulerLike, ended: (id: string) => void) {
    this.#endpoint = endpoint;
    this.#scheduler = scheduler;
    this.#ended = ended;
  }

  /**
   * A page asks for the stream of a job.
   *
   * @param isReadByAnother - whether a read is under way whose answer may take chunks
   */
  ask(id: string, { chunks }: StreamPosition, isReadByAnother = false): KeptStream {
    const known = this.#streams.get(id)?.stream;
    const stream = known ?? this.#newStream(id, chunks);
    if (!known && isReadByAnother) stream.log.addGap('possibly');
    this.#keep(id, stream);
    this.#dropOld();
    return stream;
  }

  /** A page asks that knows nothing of places. There is nothing for it where no other page has asked for the stream. */
  get(id: string): KeptStream | undefined {
    const stream = this.#streams.get(id)?.stream;
    if (stream) this.#keep(id, stream);
    return stream;
  }

  /** Whether the job has failed, and may run again by now without the proxy's knowing. */
  mayRunAgain(id: string): boolean {
    return !!this.#streams.get(id)?.stream.mayRunAgain;
  }

  /** The job runs again, so its stream begins anew. A read in flight may have taken chunks of the new run. */
  forget(id: string): void {
    if (!this.#streams.has(id)) return;
    const wasBeingRead = this.#drop(id);
    // At once: a page that says how many chunks it has had may mean those of the run before.
    const stream = this.#newStream(id, 0);
    if (wasBeingRead) stream.log.addGap('possibly');
    this.#keep(id, stream);
  }

  #keep(id: string, stream: KeptStream): void {
    this.#streams.delete(id);
    this.#streams.set(id, { stream, askedAt: this.#scheduler.now() });
  }

  /** Returns whether a read was in flight. */
  #drop(id: string): boolean {
    const stream = this.#streams.get(id)?.stream;
    if (!stream) return false;
    this.#streams.delete(id);
    this.#size -= stream.log.size;
    return stream.stop();
  }

  #newStream(id: string, chunks: number): KeptStream {
    return new KeptStream({
      endpoint: this.#endpoint,
      id,
      chunks,
      scheduler: this.#scheduler,
      maxAhead: () => (this.#size > LITTLE_ROOM ? 0 : MAX_AHEAD),
      resized: (change) => {
        this.#size += change;
      },
      grown: () => {
        this.#streams.get(id)?.stream.log.dropHad(MAX_SIZE);
        this.#dropTooMuch();
      },
      ended: () => {
        this.#ended(id);
      },
    });
  }

  #dropOld(): void {
    const now = this.#scheduler.now();
    for (const [id, { stream, askedAt }] of this.#streams) {
      const age = now - askedAt;
      if ((this.#streams.size > MAX_STREAMS && age > IDLE) || age > KEEP) this.#drop(id);
      else if (age > KEEP_CHUNKS) stream.log.drop(0);
      else break;
    }
  }

  /** The streams that nobody has asked for the longest lose their chunks first: those that a page has had, then the others. */
  #dropTooMuch(): void {
    for (const dropOf of [(log: StreamLog) => log.dropHad(0), (log: StreamLog) => log.drop(0)]) {
      for (const { stream } of this.#streams.values()) {
        if (this.#size <= MAX_SIZE_OF_ALL) return;
        dropOf(stream.log);
      }
    }
  }
}

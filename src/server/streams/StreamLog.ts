import { noop } from 'rxjs';

/** An answer of the service with chunks, or its last one, which has none. */
export interface StreamAnswer {
  /** As the service wrote it. */
  readonly text: string;
  readonly status: string;
  readonly count: number;
}

/** Where a reader of a {@link StreamLog} is. */
export interface StreamPosition {
  /** How many chunks it has had. */
  readonly chunks: number;
  /** The log that its place is of; `undefined` where it has had nothing of a log yet. */
  readonly log?: string | undefined;
  readonly from?: number | undefined;
}

interface Entry extends StreamAnswer {
  /** The place of the entry: a gap takes one place, each chunk takes one. */
  readonly from: number;
  /** The place after it. */
  readonly to: number;
  /** How many chunks came before it. */
  readonly before: number;
  /** Whether the service may have given chunks that nobody got, before those of this entry. */
  readonly gap: 'possibly' | 'certainly' | undefined;
}

/** What a reader gets, and where it goes on. */
export interface LogAnswer {
  readonly text: string;
  readonly next: StreamPosition;
  /** Whether it says that the stream is over. */
  readonly isLast: boolean;
}

/** What a reader gets that knows nothing of places, and where it goes on. */
export interface PlainAnswer {
  /** `undefined` where there is none. */
  readonly text: string | undefined;
  /** Whether chunks may be missing at the reader's place. */
  readonly isLossy: boolean;
  readonly next: StreamPosition;
}

/** How many characters one answer to a page has, but for a single answer of the service that has more. */
const MAX_ANSWER = 1_000_000;

/** What an answer takes in memory besides its text, in characters. */
const ENTRY_SIZE = 200;

/** The status of what is not over yet. */
const GOES_ON = 'IN_PROGRESS';

/**
 * The answers of a job's stream, kept for its pages: the service gives each chunk once, and a page whose answer was lost asks
 * for the same again.
 */
export class StreamLog {
  readonly id: string = crypto.randomUUID();
  readonly #resized: (change: number) => void;
  #size = 0;
  /** The oldest first, without places between them. */
  #entries: Entry[] = [];
  #end = 0;
  #chunks: number;
  #gap: 'possibly' | 'certainly' | undefined;
  #isEnded = false;
  /** Some reader has had everything before this place. */
  #reached = 0;

  /**
   * @param chunks - how many chunks of the stream others have had before
   * @param resized - called when the log takes more or less memory than before
   */
  constructor(chunks: number, resized: (change: number) => void = noop) {
    this.#chunks = chunks;
    this.#resized = resized;
    // Nobody knows whether somebody else has had the next ones.
    if (chunks) this.addGap('possibly');
  }

  /** How much memory the log takes, in characters. */
  get size(): number {
    return this.#size;
  }

  /** Whether the service has no more chunks. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** The place after everything that is kept. */
  get end(): StreamPosition {
    return { chunks: this.#chunks, log: this.id, from: this.#end };
  }

  add({ text, status, count }: StreamAnswer): void {
    const from = this.#end;
    this.#end += count + (this.#gap ? 1 : 0);
    const entry = { text, status, count, from, to: this.#end, before: this.#chunks, gap: this.#gap };
    this.#entries.push(entry);
    this.#chunks += count;
    this.#gap = undefined;
    this.#resize(sizeOf(entry));
  }

  /** Chunks may be missing after those that are kept. A certain gap stays certain. */
  addGap(gap: 'possibly' | 'certainly'): void {
    if (this.#gap !== 'certainly') this.#gap = gap;
  }

  /** The service has said that there are no more chunks. */
  endWith(answer: StreamAnswer): void {
    this.add(answer);
    this.#isEnded = true;
  }

  /** A reader has had all before its position. */
  noteHad(position: StreamPosition): void {
    this.#reached = Math.max(this.#reached, Math.min(this.#placeOf(position), this.#end));
  }

  /** Whether more than so many characters are kept that no reader is known to have had. */
  isAheadBy(size: number): boolean {
    let ahead = 0;
    for (let index = this.#entries.length - 1; ahead <= size; index--) {
      const entry = this.#entries[index];
      if (!entry || entry.to <= this.#reached) return false;
      ahead += sizeOf(entry);
    }
    return true;
  }

  /** Whether there is something for a reader. */
  hasNewsFor(position: StreamPosition): boolean {
    const place = this.#placeOf(position);
    return place < this.#end || (place === this.#end && this.#isEnded);
  }

  /** What a reader gets: all from its place on, but nothing after a gap that comes later, nor more than one answer may have. */
  answerFor(position: StreamPosition): LogAnswer {
    return this.#answerOf(this.#entriesFor(position));
  }

  /** The place at the end, without anything to read there. */
  get emptyAnswer(): string {
    return this.#answerOf([]).text;
  }

  /**
   * What a reader gets that knows nothing of places: one answer of the service, as it came. Where chunks may be missing before
   * it, the reader gets that first, and nothing else.
   */
  plainAnswerFor(position: StreamPosition): PlainAnswer {
    const [entry] = this.#entriesFor(position);
    const place = this.#placeOf(position);
    const { from, before, gap } = entry ?? { from: this.#end, before: this.#chunks, gap: undefined };
    const isPastGap = from < place;
    if (from > place || (gap && !isPastGap))
      return { text: undefined, isLossy: true, next: { chunks: before, log: this.id, from: from + (gap ? 1 : 0) } };
    return { text: entry?.text, isLossy: false, next: entry ? this.#after(entry) : this.end };
  }

  /**
   * Drops the oldest answers until at most so many characters are left. The last one of a stream that is over stays: it says
   * so. And so does the newest of those that are to fit, however large it is: some page has just asked for it.
   */
  drop(size: number): void {
    this.#dropOldest(size, () => true);
  }

  /** The same, but drops only what some reader has had. */
  dropHad(size: number): void {
    this.#dropOldest(size, ({ to }) => to <= this.#reached);
  }

  #dropOldest(size: number, mayDrop: (entry: Entry) => boolean): void {
    const least = size || this.#isEnded ? 1 : 0;
    let count = 0;
    let dropped = 0;
    while (this.#size - dropped > size && this.#entries.length - count > least) {
      const oldest = this.#entries[count];
      if (!oldest || !mayDrop(oldest)) break;
      dropped += sizeOf(oldest);
      count++;
    }
    if (!count) return;
    this.#entries.splice(0, count);
    this.#resize(-dropped);
  }

  #resize(change: number): void {
    this.#size += change;
    this.#resized(change);
  }

  #placeOf({ chunks, log, from = 0 }: StreamPosition): number {
    if (log === this.id) return from;
    const isOfAnotherLog = log !== undefined || chunks > this.#chunks;
    if (isOfAnotherLog) return 0;
    const entry = this.#entries.find(({ before, count }) => before + count > chunks);
    return entry?.from ?? this.#end;
  }

  #entriesFor(position: StreamPosition): readonly Entry[] {
    const place = this.#placeOf(position);
    const entries = this.#entries;
    // From the end on: most readers are there.
    let first = entries.length;
    while (this.#isNewAt(place, entries[first - 1])) first--;
    let end = first;
    let size = 0;
    for (const { gap, text } of entries.slice(first)) {
      size += text.length;
      if (end > first && (gap || size > MAX_ANSWER)) break;
      end++;
    }
    return entries.slice(first, end);
  }

  /** Whether a reader at a place has not had all of an entry. The last entry of a stream that is over takes no place. */
  #isNewAt(place: number, entry: Entry | undefined): boolean {
    return !!entry && (entry.to > place || (entry.count === 0 && entry.to === place));
  }

  #answerOf(entries: readonly Entry[]): LogAnswer {
    const { from = this.#end, before = this.#chunks, gap } = entries[0] ?? {};
    const last = entries.at(-1);
    const facts = JSON.stringify({ log: this.id, from, before, gap, status: last?.status ?? GOES_ON });
    const replies = entries.map(({ text }) => text).join();
    return {
      text: `${facts.slice(0, -1)},"replies":[${replies}]}`,
      next: last ? this.#after(last) : this.end,
      isLast: this.#isEnded && last === this.#entries.at(-1),
    };
  }

  #after({ before, count, to }: Entry): StreamPosition {
    return { chunks: before + count, log: this.id, from: to };
  }
}

function sizeOf({ text }: Entry): number {
  return text.length + ENTRY_SIZE;
}

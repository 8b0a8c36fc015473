import type { SchedulerLike } from 'rxjs';
import { formatEvent } from './formatEvent.js';

/** How many events are kept, how many characters of them, and how long, in milliseconds. */
const MAX_EVENTS = 1_000;
const MAX_SIZE = 1_000_000;
export const KEEP_EVENTS = 120_000;

interface LoggedEvent {
  readonly number: number;
  readonly text: string;
  readonly at: number;
}

/**
 * The last events of a user, numbered, so that a page whose connection broke gets exactly those that it missed. A position in
 * it is `<id of the log>.<number of the last event>`.
 */
export class EventLog {
  readonly #id = crypto.randomUUID();
  readonly #scheduler: SchedulerLike;
  /** The oldest first, without gaps. */
  readonly #events: LoggedEvent[] = [];
  #size = 0;
  #last = 0;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** The position after the last event. */
  get position(): string {
    return this.#positionOf(this.#last);
  }

  /** Adds an event, and returns it as it is sent. */
  add(type: string, data: string): string {
    const number = ++this.#last;
    const text = formatEvent(type, data, this.#positionOf(number));
    this.#events.push({ number, text, at: this.#scheduler.now() });
    this.#size += text.length;
    this.#dropOld();
    return text;
  }

  /** The events after a position, as they are sent; `undefined` where it is none of this log, or some are gone. */
  after(position: string): readonly string[] | undefined {
    this.#dropOld();
    const [id, number = '', ...rest] = position.split('.');
    const missed = this.#last - Number(number);
    const isOfThis = id === this.#id && /^\d+$/.test(number) && !rest.length;
    if (!isOfThis || missed < 0 || missed > this.#events.length) return undefined;
    return this.#events.slice(this.#events.length - missed).map(({ text }) => text);
  }

  #positionOf(number: number): string {
    return `${this.#id}.${number}`;
  }

  #dropOld(): void {
    const now = this.#scheduler.now();
    for (let first = this.#events[0]; first; first = this.#events[0]) {
      const isKept = this.#events.length <= MAX_EVENTS && this.#size <= MAX_SIZE && now - first.at < KEEP_EVENTS;
      if (isKept) return;
      this.#events.shift();
      this.#size -= first.text.length;
    }
  }
}

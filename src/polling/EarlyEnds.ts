import type { SchedulerLike } from 'rxjs';

/** How many ends are kept, how long in milliseconds, and how large they are together, about in characters of JSON. */
const MAX_ENDS = 1_000;
const MAX_AGE = 120_000;
const MAX_SIZE = 64 * 1024 * 1024;

/** What a value counts for that is no text: members, numbers, and what JavaScript needs beside the characters. */
const NODE_SIZE = 16;

/** A job object that its source vouches for. */
export interface VouchedJob {
  readonly body: Readonly<Record<string, unknown>>;
  /** The webhook of the only job that the object tells of. */
  readonly webhook: string | undefined;
}

interface KeptEnd extends VouchedJob {
  readonly size: number;
  readonly at: number;
}

/**
 * The ends that were told of before anybody used the job: a webhook may overtake the answer to the submission. They are
 * kept for two minutes, the newest thousand, and 64 MiB of them. An end that is not kept costs a read.
 */
export class EarlyEnds {
  readonly #scheduler: SchedulerLike;
  /** In the order in which they came. One id may be told of by several webhooks, of which one is the job's own. */
  readonly #ends = new Map<string, KeptEnd>();
  #size = 0;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Keeps an end, unless it is kept already. */
  keep(id: string, { body, webhook }: VouchedJob): void {
    const name = nameOf(id, webhook);
    this.#dropOld();
    if (this.#ends.has(name)) return;
    const size = sizeOf(body);
    if (size > MAX_SIZE) return;
    this.#ends.set(name, { body, webhook, size, at: this.#scheduler.now() });
    this.#size += size;
    for (const oldest of this.#ends.keys()) {
      if (this.#ends.size <= MAX_ENDS && this.#size <= MAX_SIZE) break;
      this.#drop(oldest);
    }
  }

  /** Gives away the end of a job that was submitted with some webhook. */
  take(id: string, webhook: string | undefined): VouchedJob | undefined {
    if (!this.#ends.size) return undefined;
    this.#dropOld();
    for (const name of [nameOf(id, undefined), nameOf(id, webhook)]) {
      const end = this.#ends.get(name);
      this.#drop(name);
      if (end) return end;
    }
    return undefined;
  }

  #dropOld(): void {
    const oldest = this.#scheduler.now() - MAX_AGE;
    for (const [name, { at }] of this.#ends) {
      if (at >= oldest) break;
      this.#drop(name);
    }
  }

  #drop(name: string): void {
    this.#size -= this.#ends.get(name)?.size ?? 0;
    this.#ends.delete(name);
  }
}

function nameOf(id: string, webhook = ''): string {
  return `${id}\n${webhook}`;
}

/** About how large a value is, as far as that matters. */
function sizeOf(value: unknown): number {
  let size = 0;
  const pending = [value];
  // A parser of the caller's own may have made anything of a text: values that hold themselves, and that cannot be read.
  try {
    while (pending.length && size <= MAX_SIZE) {
      const one = pending.pop();
      size += NODE_SIZE;
      if (typeof one === 'string') size += one.length;
      else if (typeof one === 'object' && one !== null) {
        for (const name in one) {
          size += name.length;
          pending.push((one as Readonly<Record<string, unknown>>)[name]);
        }
      }
    }
    return size;
  } catch {
    return Infinity;
  }
}

import { Observable, Subject, type SchedulerLike } from 'rxjs';

/** How many ends are kept, how long in milliseconds, and how large their bodies are together, in bytes. */
const MAX_ENDS = 1_000;
const MAX_AGE = 120_000;
const MAX_BYTES = 64 * 1024 * 1024;

interface KeptNotice {
  readonly notice: unknown;
  readonly bytes: number;
  readonly at: number;
}

/**
 * Notices for clients. A client listens only while it uses jobs, so the ends of the last two minutes are told again to each
 * new listener: the newest thousand, and 64 MiB of them.
 */
export class KeptNotices {
  /** The kept ends, and then everything as it comes. Never errors and never completes. */
  readonly notices$: Observable<unknown>;
  readonly #live$ = new Subject<unknown>();
  readonly #scheduler: SchedulerLike;
  readonly #kept = new Map<string, KeptNotice>();
  #bytes = 0;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
    this.notices$ = new Observable((subscriber) => {
      this.#dropOld();
      const kept = [...this.#kept.values()];
      subscriber.add(this.#live$.subscribe(subscriber));
      for (const { notice } of kept) subscriber.next(notice);
    });
  }

  /** Tells the listeners of something that may have happened. It is not kept. */
  hint(id: string): void {
    this.#live$.next({ id });
  }

  /**
   * Tells the listeners of an end, and keeps it. One that is kept already is a hint: it may tell of another run of the job.
   *
   * @param name - the same for the same end
   */
  end(
    name: string,
    { id, notice, bytes }: { readonly id: string; readonly notice: unknown; readonly bytes: number },
  ): void {
    this.#dropOld();
    if (this.#kept.has(name)) {
      this.hint(id);
      return;
    }
    if (bytes <= MAX_BYTES) {
      this.#kept.set(name, { notice, bytes, at: this.#scheduler.now() });
      this.#bytes += bytes;
      for (const oldest of this.#kept.keys()) {
        if (this.#kept.size <= MAX_ENDS && this.#bytes <= MAX_BYTES) break;
        this.#drop(oldest);
      }
    }
    this.#live$.next(notice);
  }

  #dropOld(): void {
    const oldest = this.#scheduler.now() - MAX_AGE;
    for (const [name, { at }] of this.#kept) {
      if (at >= oldest) break;
      this.#drop(name);
    }
  }

  #drop(name: string): void {
    this.#bytes -= this.#kept.get(name)?.bytes ?? 0;
    this.#kept.delete(name);
  }
}

interface Waiting<T> {
  readonly change: T;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** How many changes are written at once. */
const MAX_GROUP = 500;

/** Writes changes in groups: those that come while a group is written go into the next together. */
export class GroupWriter<T> {
  readonly #write: (changes: readonly T[]) => void | Promise<void>;
  #waiting: Waiting<T>[] = [];
  #writing: Promise<void> | undefined;

  /** @param write - writes a group, in one transaction */
  constructor(write: (changes: readonly T[]) => void | Promise<void>) {
    this.#write = write;
  }

  /** Resolves once the change is written. */
  add(change: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  /** Resolves once nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // What is added in the same turn goes into one group.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const group = this.#waiting.splice(0, MAX_GROUP);
      try {
        await this.#write(group.map(({ change }) => change));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    // In the same turn as the last look at what waits: what is added after that must start anew.
    this.#writing = undefined;
  }
}

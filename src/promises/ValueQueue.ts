interface Link<T> {
  readonly value: T;
  next: Link<T> | undefined;
}

/** Values, first in, first out. Each call takes the same time, however many values wait. */
export class ValueQueue<T> {
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(value: T): void {
    const link: Link<T> = { value, next: undefined };
    if (this.#last) this.#last.next = link;
    else this.#first = link;
    this.#last = link;
    this.#size++;
  }

  /** Removes the first value and returns it in a list, which is empty where there is none: a value may be `undefined`. */
  take(): [] | [T] {
    const link = this.#first;
    if (!link) return [];
    this.#first = link.next;
    if (!link.next) this.#last = undefined;
    this.#size--;
    return [link.value];
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
    this.#size = 0;
  }
}

/** What a {@link DueQueue} keeps on each of its entries. */
export interface Due {
  /** When the entry is due, on the scheduler's clock; `Infinity` where it is not. */
  dueAt: number;
  /** Orders entries that are due at the same time: the entry that was set first is first. */
  turn: number;
  /** The entry's index in the heap. */
  place: number;
}

/**
 * A priority queue of entries by the time at which they are due; among equals, the entry that was set first comes first.
 * It is a binary heap whose entries know their own index, so that an entry can be moved or removed in logarithmic time.
 */
export class DueQueue<T extends Due> {
  /** How many times an entry was set. It numbers the entries: those set later have a greater `turn`. */
  turns = 0;
  readonly #heap: T[] = [];

  get length(): number {
    return this.#heap.length;
  }

  /** The entry that is due first. */
  get first(): T | undefined {
    return this.#heap[0];
  }

  /** Sets when an entry is due, and adds it if it is not in the queue. */
  set(entry: T, dueAt: number): void {
    entry.dueAt = dueAt;
    entry.turn = this.turns++;
    if (this.#heap[entry.place] !== entry) entry.place = this.#heap.push(entry) - 1;
    this.#settle(entry, entry.place);
  }

  /** Removes an entry that is in the queue. */
  remove(entry: T): void {
    const last = this.#heap.pop();
    if (last && last !== entry) this.#settle(last, entry.place);
  }

  /** Puts an entry where it belongs, starting at a free place: up past later parents, then down past earlier children. */
  #settle(entry: T, start: number): void {
    let place = start;
    let parent = this.#parentOf(place);
    while (parent && isBefore(entry, parent)) {
      const freed = parent.place;
      this.#put(parent, place);
      place = freed;
      parent = this.#parentOf(place);
    }
    let child = this.#firstChildOf(place);
    while (child && isBefore(child, entry)) {
      const freed = child.place;
      this.#put(child, place);
      place = freed;
      child = this.#firstChildOf(place);
    }
    this.#put(entry, place);
  }

  #parentOf(place: number): T | undefined {
    return this.#heap[(place - 1) >> 1];
  }

  /** The child that is due before the other one. */
  #firstChildOf(place: number): T | undefined {
    const first = this.#heap[place * 2 + 1];
    const second = this.#heap[place * 2 + 2];
    return first && second && isBefore(second, first) ? second : first;
  }

  #put(entry: T, place: number): void {
    this.#heap[place] = entry;
    entry.place = place;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.turn < other.turn);
}

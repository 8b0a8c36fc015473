/** One entry: when it is due, how many were added before it, and what it is. */
type Entry<T> = readonly [at: number, nth: number, value: T];

/** Values by the time at which they are due; those due at the same time as they were added. A binary heap. */
export class DueQueue<T> {
  #entries: Entry<T>[] = [];
  #count = 0;

  get length(): number {
    return this.#entries.length;
  }

  /** What is due first. */
  get first(): Entry<T> | undefined {
    return this.#entries[0];
  }

  add(at: number, value: T): void {
    const entries = this.#entries;
    const entry: Entry<T> = [at, this.#count++, value];
    let place = entries.length;
    while (place) {
      const above = (place - 1) >> 1;
      const other = entries[above];
      if (!other || !before(entry, other)) break;
      entries[place] = other;
      place = above;
    }
    entries[place] = entry;
  }

  /** Takes out what is due first. */
  shift(): void {
    const entries = this.#entries;
    const entry = entries.pop();
    const { length } = entries;
    if (!entry || !length) return;
    let place = 0;
    for (let below; (below = place * 2 + 1) < length; place = below) {
      let other = entries[below];
      const right = entries[below + 1];
      if (other && right && before(right, other)) {
        other = right;
        below++;
      }
      if (!other || !before(other, entry)) break;
      entries[place] = other;
    }
    entries[place] = entry;
  }

  clear(): void {
    this.#entries = [];
  }
}

function before(one: Entry<unknown>, two: Entry<unknown>): boolean {
  return one[0] < two[0] || (one[0] === two[0] && one[1] < two[1]);
}

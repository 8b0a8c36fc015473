/** What waits in a {@link DueQueue}, which keeps these for it. */
export interface Due {
  /** When it is due; never, where it is `Infinity`. */
  at: number;
  /** Those that are due at the same time go in the order in which that was said. */
  turn: number;
  place: number;
}

/** Who is due when: a binary heap in which each one has one place, which moves when it is due at another time. */
export class DueQueue<T extends Due> {
  /** How often something was said to be due. */
  turns = 0;
  readonly #heap: T[] = [];

  get length(): number {
    return this.#heap.length;
  }

  /** What is due first. */
  get first(): T | undefined {
    return this.#heap[0];
  }

  /** Says when one is due, whether it waits already or not. */
  set(one: T, at: number): void {
    one.at = at;
    one.turn = this.turns++;
    if (this.#heap[one.place] !== one) one.place = this.#heap.push(one) - 1;
    this.#settle(one, one.place);
  }

  /** Takes one out that waits. */
  remove(one: T): void {
    const last = this.#heap.pop();
    if (last && last !== one) this.#settle(last, one.place);
  }

  /** Puts one where it belongs, from a place that is free. */
  #settle(one: T, place: number): void {
    const heap = this.#heap;
    for (let above; (above = heap[(place - 1) >> 1]) && before(one, above);) place = this.#put(above, place);
    for (;;) {
      const [left, right] = [heap[place * 2 + 1], heap[place * 2 + 2]];
      const below = left && right && before(right, left) ? right : left;
      if (!below || !before(below, one)) break;
      place = this.#put(below, place);
    }
    this.#put(one, place);
  }

  /** Puts one somewhere, and says where it was. */
  #put(one: T, place: number): number {
    const was = one.place;
    this.#heap[place] = one;
    one.place = place;
    return was;
  }
}

function before(one: Due, two: Due): boolean {
  return one.at < two.at || (one.at === two.at && one.turn < two.turn);
}

import { Subscription } from 'rxjs';

/**
 * Virtual time for simulations with many thousands of timers. RxJS's own `VirtualTimeScheduler` sorts all timers at each
 * `schedule`; here they are in a binary heap. Timers of the same millisecond run in the order in which they were scheduled.
 */
export class HeapScheduler {
  #now;
  #seq = 0;
  #heap = [];
  #dead = 0;
  /** How many timers have run. */
  ran = 0;

  /** @param {number} start - the clock's first time, in milliseconds */
  constructor(start = 0) {
    this.#now = start;
  }

  now() {
    return this.#now;
  }

  schedule(work, delay = 0, state) {
    return new Action(this, work).schedule(state, delay);
  }

  /** Runs timers in order until there is none, `until` returns true, or the next timer is later than `end`. */
  flush(until = () => false, end = Infinity) {
    for (;;) {
      const entry = this.#heap[0];
      if (!entry || entry.at > end || until()) return;
      this.#pop();
      const { action } = entry;
      if (!action) {
        this.#dead -= 1;
        continue;
      }
      this.#now = entry.at;
      this.ran += 1;
      action.entry = undefined;
      action.work(entry.state);
      // As in RxJS: an action that has not scheduled itself again is over.
      if (!action.entry) action.unsubscribe();
    }
  }

  /** @internal */
  add(action, state, delay) {
    const entry = { at: this.#now + Math.max(0, delay), seq: (this.#seq += 1), action, state };
    this.#push(entry);
    return entry;
  }

  /** @internal Empties a cancelled timer, and keeps its place in the heap until most places are empty. */
  drop(entry) {
    entry.action = undefined;
    entry.state = undefined;
    this.#dead += 1;
    if (this.#dead < 1_000 || this.#dead * 2 < this.#heap.length) return;
    const live = this.#heap.filter(({ action }) => action);
    // A sorted array is a heap.
    this.#heap = live.sort((one, two) => (before(one, two) ? -1 : 1));
    this.#dead = 0;
  }

  #push(entry) {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!before(entry, heap[above])) break;
      heap[at] = heap[above];
      at = above;
    }
    heap[at] = entry;
  }

  #pop() {
    const heap = this.#heap;
    const entry = heap.pop();
    const { length } = heap;
    if (length === 0) return;
    let at = 0;
    for (;;) {
      let below = at * 2 + 1;
      if (below >= length) break;
      if (below + 1 < length && before(heap[below + 1], heap[below])) below += 1;
      if (!before(heap[below], entry)) break;
      heap[at] = heap[below];
      at = below;
    }
    heap[at] = entry;
  }
}

/** One timer. Its work is called with the timer as `this`, and may schedule it again. */
class Action extends Subscription {
  entry;
  #scheduler;
  #work;

  constructor(scheduler, work) {
    super();
    this.#scheduler = scheduler;
    this.#work = work;
  }

  schedule(state, delay = 0) {
    if (this.closed) return this;
    if (this.entry) this.#scheduler.drop(this.entry);
    this.entry = this.#scheduler.add(this, state, delay);
    return this;
  }

  work(state) {
    this.#work.call(this, state);
  }

  unsubscribe() {
    if (this.closed) return;
    if (this.entry) this.#scheduler.drop(this.entry);
    this.entry = undefined;
    super.unsubscribe();
  }
}

function before(one, two) {
  return one.at < two.at || (one.at === two.at && one.seq < two.seq);
}

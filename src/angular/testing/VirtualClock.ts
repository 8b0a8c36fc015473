import { VirtualTimeScheduler, VirtualAction } from 'rxjs';

/** The time of a test: it stands still until it is told to go on. */
export class VirtualClock extends VirtualTimeScheduler {
  constructor() {
    super(VirtualAction, 0);
  }

  /**
   * Runs all that is due within so many milliseconds, in order, and stops there.
   *
   * @param onMoment - called after each moment at which something was due
   */
  advance(milliseconds: number, onMoment: () => void): void {
    const end = this.frame + milliseconds;
    for (let next = this.#next; next <= end; next = this.#next) {
      this.maxFrames = next;
      this.flush();
      onMoment();
    }
    this.frame = end;
  }

  /** When the next action is due. */
  get #next(): number {
    return this.actions[0]?.delay ?? Infinity;
  }
}

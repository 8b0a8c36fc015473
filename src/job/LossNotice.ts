import type { Unsubscribable } from 'rxjs';
import type { Viewer } from './jobReducer.js';

/**
 * Sees to it that somebody learns of a submission whose answer was lost: a viewer by its error, or else whoever reads the
 * report of `settled()`. A viewer gets its error one turn later, and may unsubscribe before that.
 */
export class LossNotice {
  readonly #unnotified: Set<Viewer>;
  readonly #report: () => void;
  readonly #pending: Unsubscribable;

  /**
   * @param viewers - those that are about to get the error
   * @param report - reports the submission as lost
   * @param pending - has `settled()` wait
   */
  constructor(viewers: readonly Viewer[], report: () => void, pending: Unsubscribable) {
    this.#unnotified = new Set(viewers);
    this.#report = report;
    this.#pending = pending;
    if (viewers.length === 0) this.#end(false);
  }

  /**
   * A viewer has unsubscribed, or has ended.
   *
   * @param notified - whether it got its error before
   */
  onLeave(viewer: Viewer, notified: boolean): void {
    if (this.#unnotified.delete(viewer) && (notified || this.#unnotified.size === 0)) this.#end(notified);
  }

  #end(notified: boolean): void {
    this.#unnotified.clear();
    if (!notified) this.#report();
    this.#pending.unsubscribe();
  }
}

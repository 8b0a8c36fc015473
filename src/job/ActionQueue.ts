import type { Unsubscribable } from 'rxjs';
import type { JobAction } from './jobReducer.js';

/** What happens to a job, one action at a time: an action that comes while another is handled waits for its turn. */
export class ActionQueue {
  readonly #handle: (action: JobAction) => void;
  readonly #hold: () => Unsubscribable;
  readonly #actions: JobAction[] = [];
  /** How many of the actions are handled, or being handled. */
  #begun = 0;
  #held: Unsubscribable | undefined;

  /**
   * @param handle - must not throw
   * @param hold - has `settled()` wait while actions do: any of them may have the job cancelled
   */
  constructor(handle: (action: JobAction) => void, hold: () => Unsubscribable) {
    this.#handle = handle;
    this.#hold = hold;
  }

  /** The actions that wait. */
  get waiting(): readonly JobAction[] {
    return this.#actions.slice(this.#begun);
  }

  /** Whether no action waits. */
  get isUpToDate(): boolean {
    return this.#actions.length === this.#begun;
  }

  add(action: JobAction): void {
    const actions = this.#actions;
    actions.push(action);
    if (actions.length > 1) {
      this.#held ??= this.#hold();
      return;
    }
    // The loop goes on to the actions that are added meanwhile: an answer may bring a million.
    for (const next of actions) {
      this.#begun++;
      this.#handle(next);
    }
    // Frees the array's spare capacity.
    actions.length = 0;
    this.#begun = 0;
    const held = this.#held;
    this.#held = undefined;
    held?.unsubscribe();
  }
}

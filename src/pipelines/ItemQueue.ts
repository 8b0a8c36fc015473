import type { PipelineItem } from './PipelineItem.js';
import type { PipelineTask } from './PipelineTask.js';

/**
 * Tasks in the order in which their items are emitted. A linked list through the tasks themselves: it takes no memory of
 * its own, and its first task leaves in constant time.
 */
export class ItemQueue<I extends object, O> {
  #first: PipelineTask<I, O> | undefined;
  #last: PipelineTask<I, O> | undefined;

  append(task: PipelineTask<I, O>): void {
    if (this.#last) this.#last.nextTask = task;
    else this.#first = task;
    this.#last = task;
  }

  /** Removes the first task and returns its item; `undefined` while that task has none. */
  shift(): PipelineItem<I, O> | undefined {
    while (this.#first?.skipped) this.#removeFirst(this.#first);
    const first = this.#first;
    if (!first?.item) return undefined;
    this.#removeFirst(first);
    return first.item;
  }

  /** Removes the tasks at the front that have no item. */
  skipUnfinished(): void {
    while (this.#first && !this.#first.item) this.#removeFirst(this.#first);
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
  }

  #removeFirst(first: PipelineTask<I, O>): void {
    this.#first = first.nextTask;
    if (!this.#first) this.#last = undefined;
    // A runner that keeps a removed task must not keep all later ones with it.
    first.nextTask = undefined;
  }
}

import type { PipelineItem } from './PipelineItem.js';
import type { PipelineTask } from './PipelineTask.js';
import { ItemQueue } from './ItemQueue.js';

/** An item that is to be emitted now, and whether its task takes a slot until then. */
interface NextItem<I extends object, O> {
  readonly item: PipelineItem<I, O>;
  readonly takesSlot: boolean;
}

/** In which order the items of a pipeline leave it. */
export class ItemOutlet<I extends object, O> {
  readonly #inOrder: boolean;
  /** In the order of the inputs: all started tasks. Otherwise: the finished ones, in the order in which they finished. */
  readonly #items = new ItemQueue<I, O>();
  /** Tasks that never started. They take no slot and do not wait for the order, because nothing limits their number. */
  readonly #dropped = new ItemQueue<I, O>();

  /** @param inOrder - whether items leave in the order of the inputs */
  constructor(inOrder: boolean) {
    this.#inOrder = inOrder;
  }

  started(task: PipelineTask<I, O>): void {
    if (this.#inOrder) this.#items.append(task);
  }

  finished(task: PipelineTask<I, O>): void {
    if (!this.#inOrder) this.#items.append(task);
  }

  dropped(task: PipelineTask<I, O>): void {
    this.#dropped.append(task);
  }

  /** Removes the next item. With `early`, a finished item leaves even if an earlier task has not finished. */
  next({ early }: { readonly early: boolean }): NextItem<I, O> | undefined {
    if (early) this.#items.skipUnfinished();
    const item = this.#items.shift();
    if (item) return { item, takesSlot: true };
    const dropped = this.#dropped.shift();
    return dropped && { item: dropped, takesSlot: false };
  }

  clear(): void {
    this.#items.clear();
    this.#dropped.clear();
  }
}

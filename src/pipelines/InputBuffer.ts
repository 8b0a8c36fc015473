import { BufferOverflowError } from '../errors/BufferOverflowError.js';
import type { PipelineTask } from './PipelineTask.js';

/** What happens to an input that finds the buffer full. */
export type OverflowStrategy = 'error' | 'drop-oldest' | 'drop-newest';

/** How many inputs may wait, and what happens when there is one more. */
export interface BufferLimit {
  readonly buffer: number;
  readonly overflow: OverflowStrategy;
}

/** A task that found no place in the buffer. */
export interface DroppedTask<I extends object, O> {
  readonly task: PipelineTask<I, O>;
  readonly error: BufferOverflowError;
  /** Whether the pipeline takes no more inputs now. */
  readonly endsInputs: boolean;
}

/** Tasks that wait for a free slot. Without a limit, the pipeline itself takes no more inputs than it can start. */
export class InputBuffer<I extends object, O> {
  readonly #bufferLimit: BufferLimit | undefined;
  readonly #tasks: PipelineTask<I, O>[] = [];

  constructor(bufferLimit: BufferLimit | undefined) {
    this.#bufferLimit = bufferLimit;
  }

  get size(): number {
    return this.#tasks.length;
  }

  push(task: PipelineTask<I, O>): void {
    this.#tasks.push(task);
  }

  shift(): PipelineTask<I, O> | undefined {
    return this.#tasks.shift();
  }

  /** Removes the task that the overflow strategy drops, if more wait than may. */
  dropOverflow(): DroppedTask<I, O> | undefined {
    if (!this.#bufferLimit) return undefined;
    const { buffer, overflow } = this.#bufferLimit;
    if (this.size <= buffer) return undefined;
    const task = overflow === 'drop-oldest' ? this.#tasks.shift() : this.#tasks.pop();
    if (!task) return undefined;
    const error = new BufferOverflowError(
      `input ${task.index} came while ${buffer} were waiting already (option overflow: ${overflow})`,
      { operation: 'run', accepted: 'no' },
    );
    return { task, error, endsInputs: overflow === 'error' };
  }

  /** Removes all tasks. */
  drain(): PipelineTask<I, O>[] {
    return this.#tasks.splice(0);
  }
}

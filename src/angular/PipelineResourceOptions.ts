import type { Injector, Signal } from '@angular/core';
import type {
  CodedError,
  JobExecutor,
  PipelineInputs,
  PipelineItem,
  PipelineOptions,
  PipelineTotals,
} from '../index.js';

/**
 * What a view shows of a pipeline: not started, running, taking no inputs (`paused`), all items there, ended by an error, or
 * cancelled.
 */
export type PipelineStatus = 'idle' | 'running' | 'paused' | 'done' | 'failed' | 'cancelled';

/** Options of {@link pipelineResource}: where it runs, its inputs, and the options of a pipeline. */
export interface PipelineResourceOptions<I extends object, O> extends Omit<
  PipelineOptions<I, O>,
  'totals' | 'paused' | 'scheduler'
> {
  /** Where the jobs run: what `injectEndpoint` gave. */
  readonly endpoint: JobExecutor<I, O>;
  /** Gives the inputs; called by `start()`. */
  readonly inputs: () => PipelineInputs<I>;
  /**
   * Whose destruction cancels the pipeline.
   * @defaultValue the current injector
   */
  readonly injector?: Injector;
}

/** A pipeline as signals; see {@link pipelineResource}. */
export interface PipelineResource<I extends object, O> {
  /** The items so far, as they came. They stay when the pipeline ends in any way, until it is started again. */
  readonly items: Signal<readonly PipelineItem<I, O>[]>;
  /** The counts; all 0 before the start. */
  readonly totals: Signal<PipelineTotals>;
  readonly status: Signal<PipelineStatus>;
  /** Why the pipeline failed as a whole. A failed item is an item. */
  readonly error: Signal<CodedError | undefined>;
  /** Starts with the inputs of now. Does nothing while the pipeline runs or is paused, or once the component is destroyed. */
  start(): void;
  /** Takes no more inputs. Running jobs go on. */
  pause(): void;
  /** Takes inputs again. */
  resume(): void;
  /** Cancels the running jobs, and takes no more inputs. */
  cancel(): void;
}

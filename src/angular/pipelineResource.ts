import {
  DestroyRef,
  Injector,
  assertInInjectionContext,
  computed,
  inject,
  runInInjectionContext,
  signal,
  untracked,
  type Signal,
} from '@angular/core';
import { BehaviorSubject, type Subscription } from 'rxjs';
import { codedError, runAll } from '../index.js';
import type { CodedError, PipelineInputs, PipelineItem, PipelineTotals } from '../index.js';
import { followContext } from './FollowContext.js';
import type { PipelineResource, PipelineResourceOptions, PipelineStatus } from './PipelineResourceOptions.js';
import { outOfZone } from './zone.js';

/**
 * Many jobs as signals: `runAll` for a view. Nothing runs before `start()`.
 *
 * ```ts
 * readonly gallery = pipelineResource({
 *   endpoint: injectEndpoint<{ prompt: string }, { url: string }>('painter'),
 *   inputs: () => this.prompts().map((prompt) => ({ input: { prompt } })),
 *   concurrency: 5,
 * });
 * ```
 *
 * The running jobs are cancelled when the component is destroyed. A failed item is an item, unless the option `onError` says
 * otherwise.
 *
 * Must be called where `inject` may be called, or with an `injector`.
 */
export function pipelineResource<I extends object, O>(options: PipelineResourceOptions<I, O>): PipelineResource<I, O> {
  if (!options.injector) assertInInjectionContext(pipelineResource);
  return runInInjectionContext(options.injector ?? inject(Injector), () => new LivePipelineResource(options));
}

const NO_TOTALS: PipelineTotals = {
  taken: 0,
  waiting: 0,
  inFlight: 0,
  done: 0,
  failed: 0,
  ended: 0,
  executionTime: 0,
  retried: 0,
  rate: 0,
};

class LivePipelineResource<I extends object, O> implements PipelineResource<I, O> {
  readonly items: Signal<readonly PipelineItem<I, O>[]>;
  readonly totals: Signal<PipelineTotals>;
  readonly status: Signal<PipelineStatus>;
  readonly error: Signal<CodedError | undefined>;
  readonly #destroyRef = inject(DestroyRef);
  readonly #options: PipelineResourceOptions<I, O>;
  readonly #context = followContext();
  /** Thousands may come at once, so they are copied when a view asks for them. */
  #items: PipelineItem<I, O>[] = [];
  /** Counts changes of the items. */
  readonly #version = signal(0);
  readonly #totals = signal(NO_TOTALS);
  readonly #phase = signal<Exclude<PipelineStatus, 'paused'>>('idle');
  readonly #isPaused = signal(false);
  readonly #error = signal<CodedError | undefined>(undefined);
  readonly #paused$ = new BehaviorSubject(false);
  #runs = 0;
  #running: Subscription | undefined;

  constructor(options: PipelineResourceOptions<I, O>) {
    this.#options = options;
    this.items = computed(() => {
      this.#version();
      return [...this.#items];
    });
    this.totals = this.#totals.asReadonly();
    this.status = computed(() => (this.#phase() === 'running' && this.#isPaused() ? 'paused' : this.#phase()));
    this.error = this.#error.asReadonly();
    this.#destroyRef.onDestroy(() => {
      this.cancel();
    });
  }

  start(): void {
    // Once destroyed, nobody would cancel the jobs any more.
    if (untracked(this.#phase) === 'running' || this.#destroyRef.destroyed) return;
    this.#items = [];
    this.#version.update((count) => count + 1);
    this.#totals.set(NO_TOTALS);
    this.#error.set(undefined);
    this.#phase.set('running');
    this.#pauseOrResume(false);
    let inputs: PipelineInputs<I>;
    try {
      inputs = untracked(this.#options.inputs);
    } catch (error) {
      this.#end('failed', error);
      return;
    }
    this.#context.outside(() => {
      this.#run(inputs);
    });
  }

  pause(): void {
    this.#pauseOrResume(true);
  }

  resume(): void {
    this.#pauseOrResume(false);
  }

  cancel(): void {
    if (untracked(this.#phase) !== 'running') return;
    this.#context.outside(() => this.#running?.unsubscribe());
    this.#end('cancelled');
  }

  #run(inputs: PipelineInputs<I>): void {
    const { endpoint, inputs: _, injector, ...options } = this.#options;
    const { scheduler, deliver } = this.#context;
    const run = ++this.#runs;
    /** Of a run that was started again meanwhile, nothing is shown any more. */
    const show = (apply: () => void) => {
      deliver(() => {
        if (run === this.#runs) apply();
      });
    };
    const totals = {
      next: (value: PipelineTotals) => {
        show(() => {
          this.#totals.set(value);
        });
      },
    };
    const item$ = runAll<I, O>(outOfZone(endpoint), inputs, { ...options, scheduler, totals, paused: this.#paused$ });
    this.#running = item$.subscribe({
      next: (item) => {
        show(() => {
          this.#items.push(item);
          this.#version.update((count) => count + 1);
        });
      },
      error: (error: unknown) => {
        show(() => {
          this.#end('failed', error);
        });
      },
      complete: () => {
        show(() => {
          this.#end('done');
        });
      },
    });
  }

  #pauseOrResume(isPaused: boolean): void {
    this.#isPaused.set(isPaused);
    this.#context.outside(() => {
      this.#paused$.next(isPaused);
    });
  }

  #end(phase: Exclude<PipelineStatus, 'paused'>, error?: unknown): void {
    if (untracked(this.#phase) !== 'running') return;
    this.#phase.set(phase);
    if (error !== undefined) this.#error.set(codedError(error));
  }
}

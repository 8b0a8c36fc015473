import {
  DestroyRef,
  Injector,
  PLATFORM_ID,
  assertInInjectionContext,
  computed,
  effect,
  inject,
  runInInjectionContext,
  signal,
  untracked,
  type Signal,
} from '@angular/core';
import { isPlatformServer } from '@angular/common';
import { codedError } from '../index.js';
import type { Endpoint, Job, JobOptions, JobRef, JobRequest } from '../index.js';
import { isPrerendering } from './createClient.js';
import { followContext, type FollowContext } from './FollowContext.js';
import { JobSignals, liveStatus } from './JobSignals.js';
import { handovers, type Handovers } from './handover.js';
import type { JobResource, JobResourceOptions, JobResourceState } from './JobResourceOptions.js';
import { serverRun, type ServerRun } from './serverRun.js';
import { debounced, wantedJob, type WantedJob } from './wantedJob.js';
import { SERVER_JOB } from './withholdSubmissions.js';
import { outOfZone } from './zone.js';

/**
 * A job as signals: submitted when its request is there, left when the component is destroyed.
 *
 * ```ts
 * readonly prompt = signal('');
 * readonly poem = jobResource({
 *   endpoint: injectEndpoint<{ prompt: string }, { text: string }>('my-endpoint'),
 *   request: () => (this.prompt() ? { input: { prompt: this.prompt() } } : undefined),
 *   debounce: 300,
 * });
 * ```
 *
 * - When a signal changes that `request` reads, and the request is another by its content, the job before is left and a new
 *   one is submitted. Leaving cancels a job that was submitted here, and detaches from one that was attached to, unless
 *   `onUnsubscribe` says otherwise.
 * - No signal of it throws. A job that fails keeps its chunks.
 * - On a server nothing is submitted, unless `server` says so.
 *
 * Must be called where `inject` may be called, or with an `injector`.
 */
export function jobResource<I extends object, O, C = unknown>(options: JobResourceOptions<I, O, C>): JobResource<O, C> {
  if (!options.injector) assertInInjectionContext(jobResource);
  return runInInjectionContext(options.injector ?? inject(Injector), () => new LiveJobResource(options));
}

class LiveJobResource<I extends object, O, C> implements JobResource<O, C> {
  readonly status = computed(() => this.#status());
  readonly value = computed(() => {
    const shown = this.#shown();
    const snapshot = shown?.snapshot();
    // With a stream, the job is done once that was read to its end.
    return snapshot?.status === 'COMPLETED' && shown?.status() === 'done' ? snapshot.output : undefined;
  });
  readonly chunks: Signal<readonly C[]> = computed(() => this.#shown()?.chunks() ?? NO_CHUNKS);
  readonly progress = computed(() => this.#shown()?.progress());
  readonly snapshot = computed(() => this.#shown()?.snapshot());
  readonly error = computed(() => {
    const { error } = this.#wanted() ?? {};
    return error === undefined ? this.#shown()?.error() : codedError(error);
  });
  readonly diagnosis = computed(() => this.#shown()?.diagnosis());
  readonly isLoading = computed(() => /^(submitting|queued|running)$/.test(this.#status()));
  readonly job: Signal<Job<O, C> | undefined> = computed(() => this.#shown()?.job);
  readonly state = computed((): JobResourceState<O> => {
    const status = this.#status();
    // Each status comes with what belongs to it.
    if (status === 'done') return { status, value: this.value() as O };
    if (status === 'failed') return { status, error: this.error() ?? codedError(undefined) };
    return { status };
  });

  readonly #destroyRef = inject(DestroyRef);
  readonly #endpoint: Endpoint<I, O, C>;
  readonly #jobOptions: JobOptions<I>;
  readonly #context: FollowContext = followContext();
  readonly #handovers: Handovers = handovers();
  /** How a server runs jobs; `undefined` in a page. */
  readonly #serverRun: ServerRun | undefined;
  /** Whether jobs are made: in a page, and on a server that was asked to. */
  readonly #runs: boolean;
  readonly #wanted: Signal<WantedJob | undefined>;
  readonly #current = signal<JobSignals<O, C> | undefined>(undefined);
  /** The current job, as long as its request is the one that is wanted. */
  readonly #shown = computed(() => {
    const current = this.#current();
    return current && current.wanted === this.#wanted() ? current : undefined;
  });
  readonly #status = computed(() => {
    const wanted = this.#wanted();
    if (!wanted) return 'idle';
    if (wanted.error !== undefined) return 'failed';
    return this.#shown()?.status() ?? liveStatus(undefined, wanted);
  });

  constructor(options: JobResourceOptions<I, O, C>) {
    const { endpoint, request, debounce = 0, server, serverWait, injector, ...jobOptions } = options;
    const onServer = isPlatformServer(inject(PLATFORM_ID));
    this.#endpoint = outOfZone(endpoint);
    this.#jobOptions = jobOptions;
    this.#runs = !onServer || (server === 'run' && !isPrerendering());
    if (onServer && this.#runs) this.#serverRun = serverRun(this.#handovers, this.#context, serverWait);
    const wanted = wantedJob(request);
    this.#wanted = debounce > 0 ? debounced(wanted, debounce, this.#context) : wanted;
    effect(() => {
      const now = this.#wanted();
      untracked(() => {
        // `runAgain()` may have started it before this effect had its turn.
        if (!now || this.#current()?.wanted !== now) this.#want(now);
      });
    });
    this.#destroyRef.onDestroy(() => {
      untracked(this.#current)?.leave();
    });
  }

  hasValue(): this is JobResource<O, C, O> {
    return this.#status() === 'done';
  }

  cancel(): void {
    untracked(() => {
      this.#shown()?.cancel();
    });
  }

  runAgain(): void {
    // Nobody would leave the job any more.
    if (this.#destroyRef.destroyed) return;
    untracked(() => {
      const wanted = this.#wanted();
      if (!wanted || this.#shown()?.resume()) return;
      this.#want(wanted);
    });
  }

  detach(): JobRef | undefined {
    return untracked(() => this.#shown()?.detach());
  }

  /** Leaves the job before, and starts the one that is wanted. */
  #want(wanted: WantedJob | undefined): void {
    this.#current()?.leave();
    this.#current.set(wanted && wanted.error === undefined && this.#runs ? this.#start(wanted) : undefined);
  }

  #start(wanted: WantedJob): JobSignals<O, C> {
    const { id } = this.#endpoint;
    const options = this.#jobOptions;
    const taken = wanted.request && !this.#serverRun ? this.#handovers.take(id, wanted.content) : undefined;
    // A job that a server has handed over is the page's own.
    const job = taken?.ref
      ? this.#endpoint.attach(taken.ref, { onUnsubscribe: 'cancel', ...options })
      : this.#jobOf(wanted);
    const followed = new JobSignals(wanted, job, this.#context, taken?.known);
    if (this.#serverRun) this.#serverRun.follow(followed, id, options.stream ?? false);
    else followed.follow();
    return followed;
  }

  #jobOf({ request, ref = '' }: WantedJob): Job<O, C> {
    const options = this.#jobOptions;
    if (!request) return this.#endpoint.attach(ref, options);
    const context = this.#serverRun ? { ...options.context, [SERVER_JOB]: true } : options.context;
    // It is what the caller's `request` gave.
    return this.#endpoint.job(request as JobRequest<I>, { ...options, ...(context && { context }) });
  }
}

const NO_CHUNKS: readonly never[] = [];

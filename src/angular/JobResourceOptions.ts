import type { Injector, Signal } from '@angular/core';
import type { CodedError, Diagnosis, Endpoint, Job, JobOptions, JobRef, JobRequest, JobSnapshot } from '../index.js';

/**
 * What a view shows of a job.
 *
 * | Status | When |
 * | --- | --- |
 * | `idle` | there is no request, or the job was detached |
 * | `submitting` | the request is about to be sent, or its answer is awaited |
 * | `queued` | the job waits for a worker, or it was attached to and not read yet |
 * | `running` | a worker has it |
 * | `done` | it completed, and its stream was read to the end |
 * | `failed` | it failed or timed out, could not be submitted, or cannot be read any more: `error()` says why |
 * | `cancelled` | it was cancelled, here or elsewhere |
 */
export type JobStatus = 'idle' | 'submitting' | 'queued' | 'running' | 'done' | 'failed' | 'cancelled';

/** What a job is made of, or attached to by: a request, a reference, a job's id, or `undefined` for none. */
export type JobResourceRequest<I extends object> = JobRequest<I> | JobRef | string | undefined;

/** Options of {@link jobResource}: how the job is made, and the options of a job. */
export interface JobResourceOptions<I extends object, O, C> extends Omit<
  JobOptions<I>,
  'replayChunks' | 'beforeSubmit' | 'beforeSend' | 'afterSubmit' | 'beforeCancel'
> {
  /** May change the request before it is submitted, as `beforeSubmit` of a job does. */
  readonly beforeSubmit?: NonNullable<JobOptions<I>['beforeSubmit']>;
  /** Awaited before each attempt to submit, as `beforeSend` of a job is. */
  readonly beforeSend?: NonNullable<JobOptions<I>['beforeSend']>;
  /** Awaited once the job has an id, as `afterSubmit` of a job is. */
  readonly afterSubmit?: NonNullable<JobOptions<I>['afterSubmit']>;
  /** Awaited before the job is cancelled, as `beforeCancel` of a job is. */
  readonly beforeCancel?: NonNullable<JobOptions<I>['beforeCancel']>;
  /** Where the jobs run: what `injectEndpoint` gave. */
  readonly endpoint: Endpoint<I, O, C>;
  /**
   * Makes the request of the signals that it reads. When one of them changes and the request is another, the job before is
   * left (cancelled, unless `onUnsubscribe` says otherwise), and a new one is submitted. A request that is equal in content
   * does neither. A reference or an id attaches to a job that exists; it is detached from when it is left.
   */
  readonly request: () => JobResourceRequest<I>;
  /**
   * How long a request must stay the same before it is submitted, in milliseconds. Until then the job before goes on. The
   * first request is not held back.
   * @defaultValue 0
   */
  readonly debounce?: number;
  /**
   * Whether a server that renders the page submits the job: `'skip'` leaves that to the browser, and `status()` is
   * `submitting` in the HTML. `'run'` submits it, has rendering wait for its end up to `serverWait`, and hands the job over to
   * the page, which goes on with it and pays nothing more. Prerendering never submits.
   * @defaultValue `'skip'`
   */
  readonly server?: 'skip' | 'run';
  /**
   * How long rendering waits for a job of `server: 'run'`, in milliseconds.
   * @defaultValue 5 000
   */
  readonly serverWait?: number;
  /**
   * Whose destruction leaves the job.
   * @defaultValue the current injector
   */
  readonly injector?: Injector;
}

/**
 * A job as signals; see {@link jobResource}.
 *
 * @typeParam V - what `value()` gives: `hasValue()` narrows it
 */
export interface JobResource<O, C = unknown, V = O | undefined> {
  readonly status: Signal<JobStatus>;
  /** The job's output, once it is done; `undefined` until then. Never throws. */
  readonly value: Signal<V>;
  /** The chunks so far, with `stream: true`. They stay when the job fails or is cancelled. */
  readonly chunks: Signal<readonly C[]>;
  /** The worker's latest progress update. */
  readonly progress: Signal<unknown>;
  /** The latest answer of the service about the job. */
  readonly snapshot: Signal<JobSnapshot<O> | undefined>;
  /** Why the job failed, while `status()` is `failed`. Narrows on `code`. */
  readonly error: Signal<CodedError | undefined>;
  /** Why the job is waiting. The endpoint's health is read from when this is first asked for. */
  readonly diagnosis: Signal<Diagnosis | undefined>;
  /** Whether the job may still change: it is being submitted, queued or running. */
  readonly isLoading: Signal<boolean>;
  /** The job itself, for its Observables. A subscription to them owns it, too. */
  readonly job: Signal<Job<O, C> | undefined>;
  /** All of this as one value that narrows on `status`, for `@let` and `switch`. */
  readonly state: Signal<JobResourceState<O>>;
  /** Whether the job is done, as a guard: then `value()` is no longer `undefined` by its type. */
  hasValue(): this is JobResource<O, C, O>;
  /** Cancels the job, whatever `onUnsubscribe` says. Does nothing where there is none, or where it is over. */
  cancel(): void;
  /**
   * Runs the request again, as a new job, and leaves the one before. Where the job before may still run, and only could not
   * be read, it is read on instead. Does nothing once the component is destroyed.
   */
  runAgain(): void;
  /**
   * Gives the job up without touching it on the server, and returns the reference to attach to it with. `undefined`, and
   * nothing happens, where there is no job or it has no id yet.
   */
  detach(): JobRef | undefined;
}

/** What a {@link JobResource} shows, as one value that narrows on `status`. */
export type JobResourceState<O> =
  | { readonly status: 'idle' | 'submitting' | 'queued' | 'running' | 'cancelled' }
  | { readonly status: 'done'; readonly value: O }
  | { readonly status: 'failed'; readonly error: CodedError };

import { computed, signal, type Signal } from '@angular/core';
import { Subscription, noop, type Observable } from 'rxjs';
import { codedError, isTerminal, jobError } from '../index.js';
import type { CodedError, Diagnosis, Job, JobEvent, JobRef, JobSnapshot, TerminalSnapshot } from '../index.js';
import type { FollowContext } from './FollowContext.js';
import type { JobStatus } from './JobResourceOptions.js';
import type { WantedJob } from './wantedJob.js';

/** What is known of a job before it is read: of a job that a server has handed over. */
export interface KnownState {
  readonly snapshot?: JobSnapshot;
  readonly chunks?: readonly unknown[];
  /** Set where the job is over, and its stream was not read to the end. */
  readonly hasMoreChunks?: boolean;
  /** Why there is no job, where it may have been submitted all the same. */
  readonly error?: CodedError;
}

/** One job that a resource follows, as signals. */
export class JobSignals<O, C> {
  readonly wanted: WantedJob;
  readonly job: Job<O, C>;
  readonly snapshot: Signal<JobSnapshot<O> | undefined>;
  readonly progress: Signal<unknown>;
  readonly error: Signal<CodedError | undefined>;
  readonly chunks: Signal<readonly C[]>;
  readonly status: Signal<JobStatus>;
  readonly diagnosis: Signal<Diagnosis | undefined>;
  readonly #context: FollowContext;
  readonly #snapshot = signal<JobSnapshot<O> | undefined>(undefined);
  readonly #progress = signal<unknown>(undefined);
  readonly #error = signal<CodedError | undefined>(undefined);
  readonly #ended = signal<JobStatus | undefined>(undefined);
  readonly #diagnosis = signal<Diagnosis | undefined>(undefined);
  /** Thousands may come at once, so they are copied when a view asks for them. */
  readonly #chunks: C[];
  readonly #chunkCount = signal(0);
  /** How many chunks the job itself does not know. */
  readonly #handedOverChunks: number;
  #hasId = false;
  /** Whether the job is over, and its stream too, where it is read. */
  #isOver = false;
  #cancelled = false;
  #events: Subscription | undefined;
  #diagnosing: Subscription | undefined;

  constructor(wanted: WantedJob, job: Job<O, C>, context: FollowContext, known: KnownState = {}) {
    const { snapshot, chunks = [], hasMoreChunks = false, error } = known;
    this.wanted = wanted;
    this.job = job;
    this.#context = context;
    this.#handedOverChunks = chunks.length;
    this.snapshot = this.#snapshot.asReadonly();
    this.progress = this.#progress.asReadonly();
    this.error = this.#error.asReadonly();
    this.chunks = computed(() => this.#chunks.slice(0, this.#chunkCount()));
    this.status = computed(() => this.#ended() ?? liveStatus(this.#snapshot(), wanted));
    this.diagnosis = computed(() => {
      this.#diagnose();
      return this.#diagnosis();
    });
    // They are of the types that the caller says, as all that comes from the service.
    this.#chunks = [...(chunks as readonly C[])];
    this.#chunkCount.set(chunks.length);
    if (snapshot) this.#take({ type: 'state', snapshot: snapshot as JobSnapshot<O> });
    if (snapshot && isTerminal(snapshot) && !hasMoreChunks) this.#end(snapshot as TerminalSnapshot<O>);
    if (error) this.#fail(error);
  }

  /**
   * Follows the job until it is over or left.
   *
   * @param onEnd - called when nothing more will come
   */
  follow(events: Observable<JobEvent<O, C>> = this.job.events$, onEnd: () => void = noop): void {
    if (this.#ended() !== undefined) return;
    const { outside, deliver } = this.#context;
    const following = new Subscription();
    this.#events = following;
    const end = (apply: () => void) => {
      deliver(() => {
        apply();
        onEnd();
      });
    };
    outside(() =>
      following.add(
        events.subscribe({
          next: (event) => {
            this.#hasId ||= event.type === 'submitted' || event.type === 'state';
            // At once: the job counts it as delivered, also where it is given up before the view is told.
            if (event.type === 'chunk') this.#chunks.push(event.chunk);
            deliver(() => {
              this.#take(event);
            });
          },
          error: (error: unknown) => {
            this.#hasId ||= codedError(error).ref !== undefined;
            end(() => {
              this.#fail(error);
            });
          },
          complete: () => {
            end(() => {
              // Somebody has detached the job.
              if (this.#ended() === undefined) this.#ended.set('idle');
            });
          },
        }),
      ),
    );
  }

  /** Reads the job on, where it may still run and only could not be read. */
  resume(): boolean {
    if (!this.#isUnread) return false;
    this.#error.set(undefined);
    this.#ended.set(undefined);
    // The job gives again what it has.
    this.#chunks.length = this.#handedOverChunks;
    this.follow();
    return true;
  }

  /** Stops following. What becomes of the job on the server is up to its policy. */
  leave(): void {
    this.#stop();
    // An error of reading has left the job as it was. A view that comes and goes has the policy applied.
    if (this.#isUnread) this.#context.outside(() => this.job.end$.subscribe({ error: noop }).unsubscribe());
  }

  cancel(): void {
    if (this.#ended() !== undefined && !this.resume()) return;
    this.#cancelled = true;
    // The views tell what comes of it.
    this.#context.outside(() => this.job.cancel().subscribe({ error: noop }));
  }

  detach(): JobRef | undefined {
    if (!this.#hasId || (this.#ended() !== undefined && !this.#isUnread)) return undefined;
    const reference = this.giveUp();
    this.#error.set(undefined);
    this.#ended.set('idle');
    return reference;
  }

  /** Leaves the job to others, and its signals as they are. */
  giveUp(): JobRef | undefined {
    let reference: JobRef | undefined;
    if (!this.#hasId) return undefined;
    // Before the views complete, which would change the signals.
    this.#stop();
    this.#context.outside(() => {
      // There is an id, so that it comes at once.
      this.job.detach().subscribe({ next: (ref) => (reference = ref), error: noop });
    });
    return reference;
  }

  /** What a page needs to know to show the same. */
  get known(): KnownState {
    const snapshot = this.#snapshot();
    return {
      ...(snapshot && { snapshot }),
      ...(this.#chunks.length > 0 && { chunks: [...this.#chunks] }),
      ...(snapshot && isTerminal(snapshot) && !this.#isOver && { hasMoreChunks: true }),
    };
  }

  /** Whether the job may still run, and only could not be read. */
  get #isUnread(): boolean {
    return this.#error()?.ref !== undefined;
  }

  #stop(): void {
    this.#context.outside(() => {
      this.#diagnosing?.unsubscribe();
      this.#events?.unsubscribe();
    });
  }

  #take(event: JobEvent<O, C>): void {
    switch (event.type) {
      case 'state':
        this.#snapshot.set(event.snapshot);
        return;
      case 'progress':
        this.#progress.set(event.progress);
        return;
      case 'chunk':
        this.#chunkCount.set(this.#chunks.length);
        return;
      case 'ended':
        this.#end(event.snapshot);
        return;
      default:
        return;
    }
  }

  #end(snapshot: TerminalSnapshot<O>): void {
    this.#isOver = true;
    this.#diagnosing?.unsubscribe();
    if (snapshot.status === 'COMPLETED') this.#ended.set('done');
    else this.#fail(jobError(snapshot));
  }

  #fail(error: unknown): void {
    const coded = codedError(error);
    // A job that was withdrawn before it was sent has no end on the server.
    if (coded.code === 'job_cancelled' || (this.#cancelled && coded.code === 'aborted')) {
      this.#ended.set('cancelled');
      return;
    }
    this.#error.set(coded);
    this.#ended.set('failed');
  }

  /** Reads why the job waits, from the first time on that a view asks. */
  #diagnose(): void {
    if (this.#diagnosing) return;
    const { scheduler, outside, deliver } = this.#context;
    const diagnosing = new Subscription();
    this.#diagnosing = diagnosing;
    const start = () => {
      const subscription = this.job.diagnosis$.subscribe({
        next: (diagnosis) => {
          deliver(() => {
            this.#diagnosis.set(diagnosis);
          });
        },
        // The health may not be the page's to read, and the job's own errors are shown as such.
        error: noop,
      });
      diagnosing.add(subscription);
    };
    // Not at once: a view is being rendered.
    outside(() => diagnosing.add(scheduler.schedule(start)));
  }
}

/** The status of a job that is not over, or that nobody follows yet. */
export function liveStatus(snapshot: JobSnapshot | undefined, { ref }: WantedJob): JobStatus {
  if (!snapshot) return ref === undefined ? 'submitting' : 'queued';
  return snapshot.status === 'IN_QUEUE' ? 'queued' : 'running';
}

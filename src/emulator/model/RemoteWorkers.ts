import { Subject, Subscription, defer, filter, finalize, map, merge, startWith, take, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Faults } from '../faults/Faults.js';
import type { JobQueue } from './JobQueue.js';
import type { Assignment, WorkerDesk } from './WorkerDesk.js';
import type { WorkerCounts, WorkerPool } from './WorkerPool.js';

/** How long a request for jobs or for stop signals is held while there are none, in milliseconds. */
const MAX_HOLD = 10_000;

/** Stop signals kept for one worker. Old versions of the worker SDK never fetch them. */
const MAX_PENDING_STOPS = 1_000;

interface RemoteWorker {
  readonly id: string;
  /** The jobs that the worker runs, by job id. */
  readonly assignments: Map<string, Assignment>;
  /** The jobs among them of which the worker said, when it last asked for work, that it does not run them. */
  readonly disowned: Set<string>;
  /** Jobs that the worker shall stop, and has not been told of yet. */
  readonly stops: Set<string>;
  readonly stopped$: Subject<void>;
  /** How many of its requests for jobs are held. */
  heldTakes: number;
  lastSeenAt: number;
  /** When the worker last said that a check at its start failed. A sign of life ends this. */
  unhealthyAt?: number;
  /** The worker gets no job before this time, because a fresh worker replaces it. */
  readyAt: number;
}

/**
 * The workers of other processes. A worker exists from its first request until it has been silent for `lostAfter`. Its
 * pings name the jobs that it still runs; a post for a job is a sign of life too.
 *
 * The official worker sends its pings from a process of their own, which can survive the worker and go on naming its job.
 * A new worker of the same id then asks for jobs and says that it runs none: from then on, pings keep the job no longer.
 */
export class RemoteWorkers implements WorkerPool {
  readonly #queue: JobQueue;
  readonly #desk: WorkerDesk;
  readonly #faults: Faults;
  readonly #workers = new Map<string, RemoteWorker>();
  readonly #offers$ = new Subject<void>();
  readonly #subscriptions = new Subscription();
  #wakeScheduled = false;

  constructor(queue: JobQueue, desk: WorkerDesk, faults: Faults) {
    this.#queue = queue;
    this.#desk = desk;
    this.#faults = faults;
    this.#subscriptions.add(queue.onWork(() => this.#wake(0)));
    this.#subscriptions.add(faults.onChange(() => this.#wake(0)));
  }

  get #scheduler() {
    return this.#queue.settings.scheduler;
  }

  counts(): WorkerCounts {
    this.#retire();
    const now = this.#scheduler.now();
    const counts = { idle: 0, initializing: 0, running: 0, unhealthy: 0 };
    for (const { assignments, readyAt, unhealthyAt } of this.#presentWorkers()) {
      if (unhealthyAt !== undefined) counts.unhealthy += 1;
      else if (assignments.size > 0) counts.running += 1;
      else if (readyAt > now) counts.initializing += 1;
      else counts.idle += 1;
    }
    return counts;
  }

  ready(): readonly string[] {
    this.#retire();
    const now = this.#scheduler.now();
    return this.#presentWorkers()
      .filter(({ readyAt, unhealthyAt }) => readyAt <= now && unhealthyAt === undefined)
      .map(({ id }) => id);
  }

  /** How many workers a fault keeps away. */
  awayCount(): number {
    this.#retire();
    return this.#workers.size - this.#presentWorkers().length;
  }

  /**
   * Emits up to `most` jobs as soon as one waits, or an empty list after {@link MAX_HOLD}. Unsubscribing takes no job.
   *
   * @param runsNone - whether the worker says that it runs no job
   */
  take(workerId: string, most: number, runsNone = false): Observable<readonly Assignment[]> {
    return defer(() => {
      const worker = this.#markAlive(workerId);
      if (runsNone) for (const id of worker.assignments.keys()) worker.disowned.add(id);
      worker.heldTakes += 1;
      const work$ = this.#offers$.pipe(
        startWith(undefined),
        map(() => this.#assign(worker, most)),
        filter((assignments) => assignments.length > 0),
      );
      return merge(work$, this.#afterMaxHold([])).pipe(
        take(1),
        finalize(() => {
          worker.heldTakes -= 1;
          worker.lastSeenAt = this.#scheduler.now();
        }),
      );
    });
  }

  /** Emits the ids of jobs that the worker shall stop, each id once, or an empty list after {@link MAX_HOLD}. */
  stops(workerId: string): Observable<readonly string[]> {
    return defer(() => {
      const worker = this.#markAlive(workerId);
      const stops$ = worker.stopped$.pipe(
        startWith(undefined),
        map(() => [...worker.stops]),
        filter((ids) => ids.length > 0),
      );
      return merge(stops$, this.#afterMaxHold([])).pipe(
        take(1),
        map((ids) => {
          for (const id of ids) worker.stops.delete(id);
          return ids;
        }),
      );
    });
  }

  /**
   * The worker says that it lives, and which jobs it runs. Other jobs of the worker get no sign of life by this. A job that
   * is not the worker's any more is to be stopped: the first stop signal was lost if it came before the worker knew the job.
   */
  ping(workerId: string, jobIds: readonly string[]): void {
    const worker = this.#markAlive(workerId);
    for (const id of jobIds) {
      const assignment = worker.assignments.get(id);
      if (!assignment && !this.#hasReported(workerId, id)) this.#addStop(worker, id);
      if (assignment && !worker.disowned.has(id)) this.#desk.markAlive(assignment);
    }
    worker.stopped$.next();
  }

  /** The worker says that a check at its start failed, and that it ends. It counts as unhealthy until it asks for work. */
  reportUnhealthy(workerId: string): void {
    const worker = this.#workers.get(workerId) ?? this.#markAlive(workerId);
    worker.unhealthyAt = this.#scheduler.now();
  }

  /** The worker's run of a job, if the worker still has the job. Counts as a sign of life. */
  assignmentFor(workerId: string, jobId: string): Assignment | undefined {
    const worker = this.#markAlive(workerId);
    const assignment = worker.assignments.get(jobId);
    worker.disowned.delete(jobId);
    if (assignment) this.#desk.markAlive(assignment);
    return assignment;
  }

  /** The worker asked to be replaced: it gets no job until a fresh worker could have started. */
  refresh(workerId: string): void {
    const { coldStart } = this.#queue.settings;
    this.#markAlive(workerId).readyAt = this.#scheduler.now() + coldStart;
    this.#wake(coldStart);
  }

  close(): void {
    this.#subscriptions.unsubscribe();
    this.#workers.clear();
  }

  #afterMaxHold<T>(value: T): Observable<T> {
    return timer(MAX_HOLD, this.#scheduler).pipe(map(() => value));
  }

  #assign(worker: RemoteWorker, most: number): readonly Assignment[] {
    const assignments: Assignment[] = [];
    if (this.#faults.keepsAllAway(this.#queue.settings.id)) return assignments;
    while (worker.readyAt <= this.#scheduler.now() && assignments.length < most) {
      const assignment = this.#desk.take(worker.id);
      if (!assignment) break;
      const { job, run } = assignment;
      assignments.push(assignment);
      worker.assignments.set(job.id, assignment);
      worker.disowned.delete(job.id);
      worker.stops.delete(job.id);
      run.lifetime.add(() => {
        // A `lost-worker` fault may have taken the job away already.
        if (worker.assignments.get(job.id) !== assignment) return;
        if (run.outcome === 'reported') this.#drop(worker, job.id);
        else this.#takeAway(worker, job.id);
      });
      this.#desk.watchForSilence(assignment);
      const loss = this.#faults.forJob('lost-worker', job);
      if (loss) run.lifetime.add(this.#scheduler.schedule(() => this.#takeAway(worker, job.id), loss.after ?? 0));
    }
    return assignments;
  }

  /** The workers that `/health` counts. While a fault keeps all workers away, only those that still run a job. */
  #presentWorkers(): readonly RemoteWorker[] {
    const workers = [...this.#workers.values()];
    return this.#faults.keepsAllAway(this.#queue.settings.id)
      ? workers.filter(({ assignments }) => assignments.size > 0)
      : workers;
  }

  /** Takes a job from the worker: later posts for the job are refused, and the worker gets a stop signal. */
  #takeAway(worker: RemoteWorker, jobId: string): void {
    this.#drop(worker, jobId);
    this.#addStop(worker, jobId);
    worker.stopped$.next();
  }

  #drop(worker: RemoteWorker, jobId: string): void {
    worker.assignments.delete(jobId);
    worker.disowned.delete(jobId);
  }

  /** Whether the last run of the job on this worker ended with the worker's own report. */
  #hasReported(workerId: string, jobId: string): boolean {
    const runs = this.#queue.find(jobId)?.runs.filter((run) => run.workerId === workerId) ?? [];
    return runs.at(-1)?.outcome === 'reported';
  }

  #addStop(worker: RemoteWorker, jobId: string): void {
    for (const oldest of worker.stops) {
      if (worker.stops.size < MAX_PENDING_STOPS) break;
      worker.stops.delete(oldest);
    }
    worker.stops.add(jobId);
  }

  #markAlive(workerId: string): RemoteWorker {
    const lastSeenAt = this.#scheduler.now();
    const known = this.#workers.get(workerId);
    if (known) {
      known.lastSeenAt = lastSeenAt;
      delete known.unhealthyAt;
      return known;
    }
    this.#retire();
    const worker: RemoteWorker = {
      id: workerId,
      assignments: new Map(),
      disowned: new Set(),
      stops: new Set(),
      stopped$: new Subject(),
      heldTakes: 0,
      lastSeenAt,
      readyAt: 0,
    };
    this.#workers.set(workerId, worker);
    return worker;
  }

  /** Looks for work in the scheduler's next turn, like the workers of this process. */
  #wake(ms: number): void {
    if (this.#subscriptions.closed || (ms === 0 && this.#wakeScheduled)) return;
    if (ms === 0) this.#wakeScheduled = true;
    this.#subscriptions.add(
      this.#scheduler.schedule(() => {
        if (ms === 0) this.#wakeScheduled = false;
        this.#offers$.next();
      }, ms),
    );
  }

  /** Removes silent workers. Called before each use of the list instead of by timers, as in `LocalWorkers`. */
  #retire(): void {
    const since = this.#scheduler.now() - this.#queue.settings.lostAfter;
    for (const worker of this.#workers.values()) {
      const heardAt = Math.max(worker.lastSeenAt, worker.unhealthyAt ?? 0);
      if (worker.heldTakes === 0 && worker.assignments.size === 0 && heardAt <= since) {
        this.#workers.delete(worker.id);
      }
    }
  }
}

import { Subject, Subscription, defer, filter, finalize, map, merge, startWith, take, timer } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Faults } from '../faults/Faults.js';
import type { JobQueue } from './JobQueue.js';
import type { Assignment, WorkerDesk } from './WorkerDesk.js';
import type { WorkerCounts, WorkerPool } from './WorkerPool.js';

/** How long a worker that asks for work, or what to stop, is held while there is nothing, in milliseconds. */
const MAX_HOLD = 10_000;

/** Stop signals kept for a worker that does not fetch them: old versions of the worker SDK never do. */
const MAX_PENDING_STOPS = 1_000;

interface RemoteWorker {
  readonly id: string;
  /** What it works on, by job id. */
  readonly assignments: Map<string, Assignment>;
  /** Jobs that it works on in vain, and has not been told of. */
  readonly stops: Set<string>;
  readonly stopped$: Subject<void>;
  /** How many of its requests for work are held. */
  heldTakes: number;
  lastSeenAt: number;
  /** It gets no work before: it is being replaced. */
  readyAt: number;
}

/**
 * The workers behind a network. Who asks for work is a worker, from its first request until it has been silent for
 * `lostAfter`. Which of its jobs live it says by its pings, and by whatever it posts for them.
 */
export class RemoteWorkers implements WorkerPool {
  readonly #queue: JobQueue;
  readonly #desk: WorkerDesk;
  readonly #faults: Faults;
  readonly #workers = new Map<string, RemoteWorker>();
  readonly #offers$ = new Subject<void>();
  readonly #open = new Subscription();
  #woken = false;

  constructor(queue: JobQueue, desk: WorkerDesk, faults: Faults) {
    this.#queue = queue;
    this.#desk = desk;
    this.#faults = faults;
    this.#open.add(queue.onWork(() => this.#wake(0)));
    this.#open.add(faults.onChange(() => this.#wake(0)));
  }

  get #scheduler() {
    return this.#queue.settings.scheduler;
  }

  counts(): WorkerCounts {
    this.#retire();
    const now = this.#scheduler.now();
    const count = { idle: 0, initializing: 0, running: 0 };
    for (const { assignments, readyAt } of this.#presentWorkers()) {
      count[assignments.size > 0 ? 'running' : readyAt > now ? 'initializing' : 'idle'] += 1;
    }
    return count;
  }

  ready(): readonly string[] {
    this.#retire();
    const now = this.#scheduler.now();
    return this.#presentWorkers()
      .filter(({ readyAt }) => readyAt <= now)
      .map(({ id }) => id);
  }

  /** How many a fault keeps away. */
  awayCount(): number {
    this.#retire();
    return this.#workers.size - this.#presentWorkers().length;
  }

  /** Gives up to `most` jobs as soon as there is one; none after a while. Unsubscribing before takes nothing. */
  take(workerId: string, most: number): Observable<readonly Assignment[]> {
    return defer(() => {
      const worker = this.#markAlive(workerId);
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

  /** Gives the ids of the worker's jobs that it shall stop, each once, as soon as there are some; none after a while. */
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

  /** The worker says that it is there, and which jobs it works on. A job it does not name is as good as lost. */
  ping(workerId: string, jobIds: readonly string[]): void {
    const { assignments } = this.#markAlive(workerId);
    for (const id of jobIds) {
      const assignment = assignments.get(id);
      if (assignment) this.#desk.markAlive(assignment);
    }
  }

  /** The run that the worker posts for, if it still has it; posting is a sign of life. */
  assignmentFor(workerId: string, jobId: string): Assignment | undefined {
    const assignment = this.#markAlive(workerId).assignments.get(jobId);
    if (assignment) this.#desk.markAlive(assignment);
    return assignment;
  }

  /** The worker is to be replaced by a fresh one: it gets no work before one could have started. */
  refresh(workerId: string): void {
    const { coldStart } = this.#queue.settings;
    this.#markAlive(workerId).readyAt = this.#scheduler.now() + coldStart;
    this.#wake(coldStart);
  }

  close(): void {
    this.#open.unsubscribe();
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
      worker.stops.delete(job.id);
      run.lifetime.add(() => {
        // A fault may have taken it away before.
        const had = worker.assignments.get(job.id) === assignment;
        if (had && run.outcome !== 'reported') this.#takeAway(worker, job.id);
        else if (had) worker.assignments.delete(job.id);
      });
      this.#desk.watchForSilence(assignment);
      const loss = this.#faults.forJob('lost-worker', job);
      if (loss) run.lifetime.add(this.#scheduler.schedule(() => this.#takeAway(worker, job.id), loss.after ?? 0));
    }
    return assignments;
  }

  /** Those that are there: while a fault keeps all away, the ones that still work. */
  #presentWorkers(): readonly RemoteWorker[] {
    const workers = [...this.#workers.values()];
    return this.#faults.keepsAllAway(this.#queue.settings.id)
      ? workers.filter(({ assignments }) => assignments.size > 0)
      : workers;
  }

  /** The worker has the job no more: what it says of it is not heard, and it is told to stop it. */
  #takeAway(worker: RemoteWorker, jobId: string): void {
    worker.assignments.delete(jobId);
    for (const oldest of worker.stops) {
      if (worker.stops.size < MAX_PENDING_STOPS) break;
      worker.stops.delete(oldest);
    }
    worker.stops.add(jobId);
    worker.stopped$.next();
  }

  #markAlive(workerId: string): RemoteWorker {
    const lastSeenAt = this.#scheduler.now();
    const known = this.#workers.get(workerId);
    if (known) {
      known.lastSeenAt = lastSeenAt;
      return known;
    }
    this.#retire();
    const worker: RemoteWorker = {
      id: workerId,
      assignments: new Map(),
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
    if (this.#open.closed || (ms === 0 && this.#woken)) return;
    if (ms === 0) this.#woken = true;
    this.#open.add(
      this.#scheduler.schedule(() => {
        if (ms === 0) this.#woken = false;
        this.#offers$.next();
      }, ms),
    );
  }

  /** Silent workers are found to be gone when somebody looks, as idle ones of this process are. */
  #retire(): void {
    const since = this.#scheduler.now() - this.#queue.settings.lostAfter;
    for (const worker of this.#workers.values()) {
      if (worker.heldTakes === 0 && worker.assignments.size === 0 && worker.lastSeenAt <= since) {
        this.#workers.delete(worker.id);
      }
    }
  }
}

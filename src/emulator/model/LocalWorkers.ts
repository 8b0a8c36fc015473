import { Subscription } from 'rxjs';
import type { Faults } from '../faults/Faults.js';
import type { JobQueue } from './JobQueue.js';
import { workerName, type Random } from './random.js';
import type { Assignment, WorkerDesk } from './WorkerDesk.js';
import { isIncomplete, workOn } from './workOn.js';
import type { WorkerCounts, WorkerPool } from './WorkerPool.js';

interface Worker {
  readonly id: string;
  ready: boolean;
  running: number;
  idleSince: number;
}

/** The workers of this process: they start when jobs wait, run the endpoint's handler, and go away when idle. */
export class LocalWorkers implements WorkerPool {
  readonly #queue: JobQueue;
  readonly #desk: WorkerDesk;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #workers: Worker[] = [];
  readonly #subscriptions = new Subscription();
  #wakeScheduled = false;

  constructor(queue: JobQueue, desk: WorkerDesk, faults: Faults, random: Random) {
    this.#queue = queue;
    this.#desk = desk;
    this.#faults = faults;
    this.#random = random;
    this.#refill();
    this.#subscriptions.add(queue.onWork(() => this.#wake()));
    this.#subscriptions.add(faults.onChange(() => this.#wake()));
  }

  get #options() {
    return this.#queue.settings.workers;
  }

  get #scheduler() {
    return this.#queue.settings.scheduler;
  }

  /** How many workers may exist now: `max`, less the workers that faults keep away. */
  get #most(): number {
    return this.#faults.workersAvailable(this.#queue.settings.id, this.#options.max);
  }

  counts(): WorkerCounts {
    this.#retire();
    const running = this.#workers.filter((worker) => worker.running > 0).length;
    const initializing = this.#workers.filter((worker) => !worker.ready).length;
    return { idle: this.#workers.length - running - initializing, initializing, running, unhealthy: 0 };
  }

  ready(): readonly string[] {
    this.#retire();
    return this.#workers.filter(({ ready }) => ready).map(({ id }) => id);
  }

  close(): void {
    this.#subscriptions.unsubscribe();
  }

  /** Dispatches in the scheduler's next turn, so that a submission is answered before any handler runs. */
  #wake(): void {
    if (this.#wakeScheduled || this.#subscriptions.closed) return;
    this.#wakeScheduled = true;
    this.#subscriptions.add(
      this.#scheduler.schedule(() => {
        this.#wakeScheduled = false;
        this.#dispatch();
      }),
    );
  }

  #dispatch(): void {
    this.#retire();
    this.#refill();
    for (;;) {
      const worker = this.#free() ?? this.#scaleUp();
      const assignment = worker && this.#desk.take(worker.id);
      if (!assignment) return;
      this.#work(worker, assignment);
    }
  }

  #free(): Worker | undefined {
    return this.#workers.find((worker) => worker.ready && worker.running < this.#options.concurrency);
  }

  /** Starts as many workers as the waiting jobs need. Returns a worker if it needs no cold start. */
  #scaleUp(): Worker | undefined {
    const { coldStart } = this.#queue.settings;
    while (this.#needsAnotherWorker()) {
      const worker = this.#add({ ready: coldStart <= 0 });
      if (worker.ready) return worker;
      this.#subscriptions.add(
        this.#scheduler.schedule(() => {
          worker.ready = true;
          worker.idleSince = this.#scheduler.now();
          this.#dispatch();
        }, coldStart),
      );
    }
    return undefined;
  }

  /** Whether more jobs wait than the starting workers will take, and another worker may exist. */
  #needsAnotherWorker(): boolean {
    const starting = this.#workers.filter(({ ready }) => !ready).length;
    const placesSoon = starting * this.#options.concurrency;
    return this.#workers.length < this.#most && this.#queue.countWanting(placesSoon + 1) > placesSoon;
  }

  #add({ ready }: { readonly ready: boolean }): Worker {
    const worker = { id: workerName(this.#random), ready, running: 0, idleSince: this.#scheduler.now() };
    this.#workers.push(worker);
    return worker;
  }

  #remove(worker: Worker): void {
    const at = this.#workers.indexOf(worker);
    if (at >= 0) this.#workers.splice(at, 1);
  }

  /** Removes idle workers. Called before each use of the list instead of by timers, which would keep the process alive. */
  #retire(): void {
    const { min, idleTimeout } = this.#options;
    const most = this.#most;
    const since = this.#scheduler.now() - idleTimeout;
    for (const worker of [...this.#workers]) {
      const surplus = this.#workers.length > most;
      if (!surplus && this.#workers.length <= min) return;
      if (worker.running === 0 && (surplus || (worker.ready && worker.idleSince <= since))) this.#remove(worker);
    }
  }

  /** Adds the workers that are always on, unless a fault keeps them away. */
  #refill(): void {
    while (this.#workers.length < Math.min(this.#options.min, this.#most)) this.#add({ ready: true });
  }

  #work(worker: Worker, assignment: Assignment): void {
    const { settings } = this.#queue;
    const free = (): void => {
      worker.running -= 1;
      worker.idleSince = this.#scheduler.now();
      this.#wake();
    };
    if (isIncomplete(assignment)) {
      // As on the service: the worker SDK finds the job incomplete and never reports on it. The platform counts the worker
      // as busy until it gives the job up. The service was seen to run the second attempt on the same worker.
      const [at, jobId] = [this.#scheduler.now(), assignment.job.id];
      const parts = ['Job has missing field(s): id or input.'];
      settings.log({ at, endpointId: settings.id, jobId, workerId: worker.id, parts });
      worker.running += 1;
      assignment.run.lifetime.add(free);
      this.#desk.watchForSilence(assignment);
      return;
    }
    const loss = this.#faults.forJob('lost-worker', assignment.job);
    const lossIn = loss ? (loss.after ?? 0) : Infinity;
    if (lossIn <= 0) {
      this.#lose(worker, assignment);
      return;
    }
    worker.running += 1;
    const working = workOn(assignment, settings, this.#desk, free);
    if (loss) {
      const strike = (): void => {
        this.#lose(worker, assignment);
        working.unsubscribe();
      };
      assignment.run.lifetime.add(this.#scheduler.schedule(strike, lossIn));
    }
  }

  #lose(worker: Worker, assignment: Assignment): void {
    this.#remove(worker);
    // The worker gives no more signs of life, so the platform will take the job from it after `lostAfter`.
    this.#desk.watchForSilence(assignment);
  }
}

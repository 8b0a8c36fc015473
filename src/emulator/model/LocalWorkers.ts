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

/** The workers of this process: they start when there is work, run the endpoint's handler, and go away when idle. */
export class LocalWorkers implements WorkerPool {
  readonly #queue: JobQueue;
  readonly #desk: WorkerDesk;
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #workers: Worker[] = [];
  readonly #open = new Subscription();
  #woken = false;

  constructor(queue: JobQueue, desk: WorkerDesk, faults: Faults, random: Random) {
    this.#queue = queue;
    this.#desk = desk;
    this.#faults = faults;
    this.#random = random;
    this.#refill();
    this.#open.add(queue.onWork(() => this.#wake()));
    this.#open.add(faults.onChange(() => this.#wake()));
  }

  get #options() {
    return this.#queue.settings.workers;
  }

  get #scheduler() {
    return this.#queue.settings.scheduler;
  }

  /** How many there may be now: faults keep some away. */
  get #most(): number {
    return this.#faults.workersAvailable(this.#queue.settings.id, this.#options.max);
  }

  counts(): WorkerCounts {
    this.#retire();
    const running = this.#workers.filter((worker) => worker.running > 0).length;
    const initializing = this.#workers.filter((worker) => !worker.ready).length;
    return { idle: this.#workers.length - running - initializing, initializing, running };
  }

  ready(): readonly string[] {
    this.#retire();
    return this.#workers.filter(({ ready }) => ready).map(({ id }) => id);
  }

  close(): void {
    this.#open.unsubscribe();
  }

  /** Looks for work in the scheduler's next turn: whoever submits has its answer before any handler runs. */
  #wake(): void {
    if (this.#woken || this.#open.closed) return;
    this.#woken = true;
    this.#open.add(
      this.#scheduler.schedule(() => {
        this.#woken = false;
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

  /** Starts as many workers as the waiting jobs ask for; gives one that can work at once, if there is. */
  #scaleUp(): Worker | undefined {
    const { concurrency } = this.#options;
    const most = this.#most;
    const { coldStart } = this.#queue.settings;
    for (;;) {
      const starting = this.#workers.filter((worker) => !worker.ready).length;
      if (
        this.#workers.length >= most ||
        this.#queue.countWanting(starting * concurrency + 1) <= starting * concurrency
      ) {
        return undefined;
      }
      const worker = this.#add(coldStart <= 0);
      if (worker.ready) return worker;
      this.#open.add(
        this.#scheduler.schedule(() => {
          worker.ready = true;
          worker.idleSince = this.#scheduler.now();
          this.#dispatch();
        }, coldStart),
      );
    }
  }

  #add(ready: boolean): Worker {
    const worker = { id: workerName(this.#random), ready, running: 0, idleSince: this.#scheduler.now() };
    this.#workers.push(worker);
    return worker;
  }

  #remove(worker: Worker): void {
    const at = this.#workers.indexOf(worker);
    if (at >= 0) this.#workers.splice(at, 1);
  }

  /** Idle workers are found to be gone when somebody looks; a timer of theirs would only keep a process alive. */
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

  /** Those that are always on are there, unless a fault keeps them away. */
  #refill(): void {
    while (this.#workers.length < Math.min(this.#options.min, this.#most)) this.#add(true);
  }

  #work(worker: Worker, assignment: Assignment): void {
    const { settings } = this.#queue;
    const free = (): void => {
      worker.running -= 1;
      worker.idleSince = this.#scheduler.now();
      this.#wake();
    };
    if (isIncomplete(assignment)) {
      // What happens on the service: the worker SDK finds the job incomplete and never reports it. To the platform the
      // worker is busy with it until the job is given up; a second attempt was seen on the same worker.
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
    // It will not be heard of again: the platform notices by and by.
    this.#desk.watchForSilence(assignment);
  }
}

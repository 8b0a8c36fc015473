import { Observable, type SchedulerAction, type SchedulerLike, type Subscription } from 'rxjs';
import type { JobRef, Transport } from 'runpod-rx';

/** A moment in a history that befalls the machine on which a client runs. Durations in milliseconds. */
export type MachineEvent =
  { readonly type: 'step'; readonly by: number } | { readonly type: 'sleep'; readonly for: number };

/** 1 January 2026: where the wall clock of a machine begins. */
const EPOCH = 1_767_225_600_000;

/**
 * The machine on which a client runs, in the virtual time of a world that goes on around it.
 *
 * - Its wall clock can be set, and be wrong from the start: `step`. The clock of its scheduler never steps.
 * - It can sleep: no timer fires and no answer arrives meanwhile. On waking, what is overdue fires at once: the timers
 *   first, in the order in which they were due, then the answers, as on Node.
 *
 * Give its `scheduler` and `transport` to `createRunpod`, and the world's scheduler to the emulator.
 */
export class Machine {
  readonly #world: SchedulerLike;
  #wallOffset: number;
  #wakesAt = -Infinity;
  readonly #sleeps: { readonly from: number; readonly until: number }[] = [];

  /**
   * @param world - the scheduler of the world
   * @param wallOffset - how far the machine's wall clock is ahead of the world's
   */
  constructor(world: SchedulerLike, wallOffset = 0) {
    this.#world = world;
    this.#wallOffset = wallOffset;
  }

  /** The scheduler of the client. The library takes its `wallNow` for the wall clock. */
  get scheduler(): SchedulerLike & { wallNow(): number } {
    return {
      now: () => this.#world.now(),
      wallNow: () => this.wallNow(),
      schedule: <T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T) =>
        this.#schedule(work, delay, state),
    };
  }

  get asleep(): boolean {
    return this.#world.now() < this.#wakesAt;
  }

  wallNow(): number {
    return EPOCH + this.#world.now() + this.#wallOffset;
  }

  /** Does what a history says. */
  perform(event: MachineEvent): void {
    if (event.type === 'step') this.step(event.by);
    else this.sleep(event.for);
  }

  /** Sets the wall clock, forward or back. */
  step(by: number): void {
    this.#wallOffset += by;
  }

  /** From now on and for so long, nothing happens on this machine. */
  sleep(ms: number): void {
    const from = this.#world.now();
    this.#wakesAt = Math.max(this.#wakesAt, from + ms);
    this.#sleeps.push({ from, until: this.#wakesAt });
  }

  /** When a timer fires that is due at a time: later, where the machine sleeps then. */
  firesAt(due: number): number {
    const slept = this.#sleeps.find(({ from, until }) => from <= due && due < until);
    return slept ? this.firesAt(slept.until) : due;
  }

  /** Has something done that only a machine that is awake can do: at once, or after the timers that are overdue on waking. */
  whenAwake(act: () => void): void {
    if (this.asleep)
      this.#atWaking(
        () =>
          void this.#world.schedule(() => {
            this.whenAwake(act);
          }),
      );
    else act();
  }

  /** A reference as a machine would have made it whose clock is so far ahead of this one, or behind. */
  skewed(ref: JobRef, by: number): JobRef {
    return ref.submittedAt === undefined ? ref : { ...ref, submittedAt: ref.submittedAt + by };
  }

  /** What the network delivers while the machine sleeps arrives when it wakes. */
  transport(network: Transport): Transport {
    return (request) =>
      new Observable((subscriber) => {
        const arrive = (deliver: () => void) => {
          if (!this.asleep) deliver();
          // Scheduled twice, so that it comes after the timers that are overdue on waking.
          else
            subscriber.add(
              this.#atWaking(() => {
                subscriber.add(this.#world.schedule(deliver));
              }),
            );
        };
        subscriber.add(
          network(request).subscribe({
            next: (reply) => {
              arrive(() => {
                subscriber.next(reply);
                subscriber.complete();
              });
            },
            error: (error: unknown) => {
              arrive(() => {
                subscriber.error(error);
              });
            },
          }),
        );
      });
  }

  #schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay: number, state?: T): Subscription {
    const whenAwake = (action: SchedulerAction<T>, given: T | undefined): void => {
      if (this.asleep) action.add(this.#atWaking(() => whenAwake(action, given)));
      else work.call(action, given);
    };
    return this.#world.schedule<T>(
      function (given) {
        whenAwake(this, given);
      },
      delay,
      state,
    );
  }

  #atWaking(act: () => void): Subscription {
    return this.#world.schedule(act, this.#wakesAt - this.#world.now());
  }
}

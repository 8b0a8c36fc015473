import { defer, tap, type Observable, type Subscription } from 'rxjs';
import type { Job, JobRef, LeavePolicy } from 'runpod-rx';
import type { Machine } from '../../support/Machine.js';
import { roles, type Options, type ViewName } from './History.js';
import type { Wire } from './Wire.js';

/** One subscription to a view, and what it emitted. */
export interface View {
  readonly name: ViewName;
  readonly since: number;
  readonly began: number;
  readonly values: unknown[];
  until?: number;
  ended?: number;
  how?: 'left' | 'completed' | 'errored';
  error?: unknown;
}

/** What `cancel()` or `detach()` emitted. */
export interface Report {
  readonly of: 'cancel' | 'detach';
  readonly at: number;
  ended?: number;
  error?: unknown;
}

/** Why a job may be cancelled, and from when on. */
export interface Reason {
  readonly why: 'left' | 'cancel()' | 'signal' | 'close()';
  readonly at: number;
  readonly policy: LeavePolicy;
  /** Whether nothing in the same moment forbids the cancel. */
  readonly sure: boolean;
  /** The step at which the reason arose. */
  readonly step: number;
}

/**
 * One `Job`, and what was done to it. Counts the subscribers independently of the client, by what the test did and what
 * the views emitted, and so knows when the job was released.
 */
export class Life {
  readonly views: View[] = [];
  readonly reasons: Reason[] = [];
  readonly reports: Report[] = [];
  readonly subscriptions: Subscription[] = [];
  ref?: JobRef;
  policy: LeavePolicy;
  /** When its reference says that it was submitted, in the world's time; never in the future. */
  readonly startedByRef: number | undefined;
  /** When it was made. */
  readonly attachedAt: number;
  detachedAt?: number;
  /** The policy until `detachedAt`. */
  policyBeforeDetach?: LeavePolicy;
  /** Whether the job had an owner, and was not released since. An error of reading does not release it. */
  #owned = false;
  #aborted = false;
  #pending?: { readonly at: number; readonly due: number; readonly step: number; readonly sure: boolean };

  constructor(
    readonly nth: number,
    readonly client: number,
    readonly job: Job,
    readonly options: Options,
    /** The reference that it was attached to. */
    readonly attached: JobRef | undefined,
    readonly world: {
      readonly wire: Wire;
      readonly machines: readonly Machine[];
      now(): number;
      /** Whether the server may have the job, and whether the client knows its id. */
      maybeSent(nth: number): boolean;
      idOf(nth: number): string | undefined;
    },
  ) {
    this.attachedAt = world.now();
    this.policy = options.onUnsubscribe ?? (attached ? 'detach' : 'cancel');
    const age = attached?.submittedAt === undefined ? undefined : this.machine.wallNow() - attached.submittedAt;
    this.startedByRef = age === undefined ? undefined : world.now() - Math.max(0, age);
  }

  /** The machine that its client runs on. */
  get machine(): Machine {
    return this.world.machines[this.client]!;
  }

  get id(): string | undefined {
    return this.attached?.id ?? this.world.idOf(this.nth);
  }

  /** When its client learned that it was submitted. */
  get submittedAt(): number | undefined {
    return this.world.wire.exchanges.find(({ nth, http = 500, body }) => nth === this.nth && http < 300 && body?.id)
      ?.endedAt;
  }

  open(role?: 'owner'): View[] {
    return this.views.filter(({ name, how }) => !how && (!role || roles[name] === role));
  }

  /** A view that counts its subscriptions. */
  look(name: ViewName): Observable<unknown> {
    return defer(() => {
      const { world } = this;
      const view: View = { name, since: world.now(), began: world.wire.step(), values: [] };
      const end = (how: NonNullable<View['how']>, error?: unknown) =>
        Object.assign(view, { how, until: world.now(), ended: world.wire.step(), error });
      this.views.push(view);
      if (roles[name] === 'owner') this.#back();
      // A job whose signal was aborted before is released as soon as it is subscribed to.
      if (roles[name] !== 'watcher' && this.#aborted) this.stop('signal');
      return (this.job[name] as Observable<unknown>).pipe(
        tap({
          next: (value) => view.values.push(value),
          complete: () => end('completed'),
          error: (error: unknown) => end('errored', error),
          unsubscribe: () => {
            const knew = this.id !== undefined;
            end('left');
            const owned = this.open('owner').length > 0;
            const role = roles[name];
            if (owned || role === 'watcher') return;
            // id$ releases the job only where no other subscriber would ever get its id.
            if (role === 'owner' || (!knew && !this.open().some((other) => roles[other.name] !== 'watcher')))
              this.#leave();
          },
        }),
      );
    });
  }

  cancel(): void {
    this.#flush();
    const step = this.world.wire.step();
    const report: Report = { of: 'cancel', at: this.world.now() };
    this.reports.push(report);
    // This does not release the job: its views go on.
    if (this.attached || this.world.maybeSent(this.nth)) {
      this.reasons.push({ why: 'cancel()', at: this.world.now(), policy: 'cancel', sure: true, step });
      this.policy = 'cancel';
    }
    this.job.cancel().subscribe(this.#ending(report));
  }

  detach(): void {
    this.#flush();
    const report: Report = { of: 'detach', at: this.world.now() };
    this.reports.push(report);
    this.policyBeforeDetach ??= this.policy;
    this.policy = 'detach';
    this.#owned = false;
    this.detachedAt ??= this.world.now();
    this.#pending = undefined;
    const told = this.#ending(report);
    this.job.detach().subscribe({ ...told, next: (ref) => (this.ref = ref) });
  }

  /** Ends all subscriptions, as if they had unsubscribed. */
  stop(why: 'signal' | 'close()'): void {
    this.#flush();
    const looked = this.#owned || !!this.#pending || this.open().some(({ name }) => roles[name] !== 'watcher');
    const sent = this.attached ?? this.world.maybeSent(this.nth);
    if (looked && sent)
      this.reasons.push({
        why,
        at: this.world.now(),
        policy: this.policy,
        sure: this.open('owner').length > 0,
        step: this.world.wire.step(),
      });
    this.#pending = undefined;
    this.#owned = false;
    this.#aborted ||= why === 'signal';
  }

  /** Notes the graces and deadlines that are due. */
  settle(): void {
    this.#flush();
  }

  #ending(report: Report) {
    return {
      complete: () => Object.assign(report, { ended: this.world.now() }),
      error: (error: unknown) => Object.assign(report, { ended: this.world.now(), error }),
    };
  }

  #leave(): void {
    const at = this.world.now();
    this.#pending = {
      at,
      due: at + (this.options.grace ?? 0),
      step: this.world.wire.step(),
      // An error that is already on its way to the view comes first.
      sure: !this.world.wire.exchanges.some(({ endedAt, aborted }) => endedAt === at && !aborted),
    };
  }

  #back(): void {
    this.#flush();
    this.#pending = undefined;
    this.#owned = true;
  }

  #flush(): void {
    const pending = this.#pending;
    const now = this.world.now();
    if (!pending || now < pending.due) return;
    this.#pending = undefined;
    this.#owned = false;
    // A submission that was not sent by then is withdrawn by this release.
    if (!this.attached && !this.world.maybeSent(this.nth)) return;
    this.reasons.push({
      why: 'left',
      at: pending.due,
      policy: this.policy,
      sure: pending.sure && now > this.machine.firesAt(pending.due),
      step: pending.step,
    });
  }
}

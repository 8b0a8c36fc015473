import { defer, tap, type Observable, type Subscription } from 'rxjs';
import type { Job, JobRef, LeavePolicy } from 'runpod-rx';
import { roles, type Options, type ViewName } from './History.js';
import type { Wire } from './Wire.js';

/** One subscription to a view, and what came of it. */
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

/** What came of `cancel()` or `detach()`. */
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
  /** Nothing that happened in the same moment speaks against it. */
  readonly sure: boolean;
  /** The step at which it came about. */
  readonly step: number;
}

/**
 * One `Job`, and what was done to it. It keeps count of who looks by itself, by what the test did and what the views
 * said, and so knows when the job was left.
 */
export class Life {
  readonly views: View[] = [];
  readonly reasons: Reason[] = [];
  readonly reports: Report[] = [];
  readonly subscriptions: Subscription[] = [];
  ref?: JobRef;
  policy: LeavePolicy;
  detachedAt?: number;
  /** It had an owner, and was not left since: an error of reading is no leaving. */
  #owned = false;
  #aborted = false;
  #pending?: { readonly at: number; readonly due: number; readonly step: number; readonly sure: boolean };

  constructor(
    readonly nth: number,
    readonly client: number,
    readonly job: Job,
    readonly options: Options,
    /** What it was attached to. */
    readonly attached: JobRef | undefined,
    readonly world: {
      readonly wire: Wire;
      now(): number;
      /** Whether the server may have the job, and whether the client knows its id. */
      maybeSent(nth: number): boolean;
      idOf(nth: number): string | undefined;
    },
  ) {
    this.policy = options.onUnsubscribe ?? (attached ? 'detach' : 'cancel');
  }

  get id(): string | undefined {
    return this.attached?.id ?? this.world.idOf(this.nth);
  }

  open(role?: 'owner'): View[] {
    return this.views.filter(({ name, how }) => !how && (!role || roles[name] === role));
  }

  /** A view, each subscription to which is counted. */
  look(name: ViewName): Observable<unknown> {
    return defer(() => {
      const { world } = this;
      const view: View = { name, since: world.now(), began: world.wire.step(), values: [] };
      const end = (how: NonNullable<View['how']>, error?: unknown) =>
        Object.assign(view, { how, until: world.now(), ended: world.wire.step(), error });
      this.views.push(view);
      if (roles[name] === 'owner') this.#back();
      // One whose signal was aborted before leaves as it comes.
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
            // One who only asks for the id leaves the job where nobody else would ever know it.
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
    // It is not a leaving: its views go on.
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
    this.policy = 'detach';
    this.#owned = false;
    this.detachedAt ??= this.world.now();
    this.#pending = undefined;
    const told = this.#ending(report);
    this.job.detach().subscribe({ ...told, next: (ref) => (this.ref = ref) });
  }

  /** Everyone who looks is sent away, as if they had left. */
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

  /** Takes stock of what is due. */
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
      // An error that is on its way to it comes first.
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
    // What was not sent by then never is, by this leaving.
    if (!this.attached && !this.world.maybeSent(this.nth)) return;
    this.reasons.push({
      why: 'left',
      at: pending.due,
      policy: this.policy,
      sure: pending.sure && now > pending.due,
      step: pending.step,
    });
  }
}

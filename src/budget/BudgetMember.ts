import type { BudgetedRequests, BudgetUse, Lease, LimitPart } from '../index.js';
import type { BudgetTerms } from './BudgetOptions.js';
import { fairPart } from './fairPart.js';
import type { LeaseAnswer, LeaseReport } from './LeaseStore.js';
import { NOTHING, partOf, someBound } from './limitParts.js';

/** A member wants a tenth more than it uses, and so many requests: most requests then find a place that is leased already. */
const SPARE_FRACTION = 0.1;
const SPARE_REQUESTS = 2;

/** What each report leaves of the most that were in flight: requests come and go faster than reports. */
const PEAK_DECAY = 0.9;

/** So many windows pass until what cannot be divided goes to the next member. */
const WINDOWS_OF_A_ROTATION = 2;

/** What a member has for cancels before the store has answered, and at least. */
const FIRST_CANCELS: LimitPart = { requests: 2, concurrent: 1 };

/** So many members may begin to cancel at once beside those that use up the rest, and what is kept for them at most. */
const BEGINNERS = 8;
const MAX_RESERVE = 0.2;

/** What the store has last told. */
interface Known extends Pick<LeaseAnswer, 'limit' | 'wanted'> {
  readonly rotation: number;
}

/**
 * The part of a limit that one process has: what it reports to the store, what it makes of the answers, and what it may use
 * without them.
 *
 * A part becomes smaller at once for requests that are to be sent, and is given back as those that were sent no longer
 * count. So what all members count is never more than what the store knows of.
 */
export class BudgetMember {
  readonly #name = crypto.randomUUID();
  readonly #requests: BudgetedRequests;
  readonly #terms: BudgetTerms;
  /** Whether the requests are cancels, which do not wait for the store. */
  readonly #cancels: boolean;
  #turn = 0;
  /** What may be used; `undefined` before the first answer. */
  #part: LimitPart | undefined;
  /** Until when it may: `Infinity` without the store, `-Infinity` before its first answer. */
  #until = -Infinity;
  /** `undefined` while the store is not reached. */
  #known: Known | undefined;
  /** What was last reported to be wanted. */
  #wanted = NOTHING;
  /** The most requests that were in flight or waited lately. */
  #peak = 0;
  /** What the process would get if it wanted all there is. */
  #obtainable = NOTHING;
  /** Whether a part is on its way from one member to another, or the store did not answer. */
  #unsettled = false;

  constructor(requests: BudgetedRequests, terms: BudgetTerms, cancels: boolean) {
    this.#requests = requests;
    this.#terms = terms;
    this.#cancels = cancels;
  }

  /** Whether the member has ever reported. */
  get hasReported(): boolean {
    return this.#turn > 0;
  }

  /** What the process may use; `undefined` before the first answer. */
  get lease(): Lease | undefined {
    const part = this.#part;
    if (!part) return undefined;
    const { limit: whole } = this.#requests.use();
    const unlessUnbound = (given: LimitPart) =>
      partOf((bound) => (whole[bound] === Infinity ? Infinity : given[bound]));
    return { ...unlessUnbound(part), until: this.#until, obtainable: unlessUnbound(this.#obtainable) };
  }

  /** How long after a report the next is due, in milliseconds. */
  get pause(): number {
    const renewal = this.#terms.lease / 3;
    return this.#unsettled ? renewal / 3 : renewal;
  }

  /** Whether the next report is due early: more is wanted than was reported, and more is to be had. */
  get hurries(): boolean {
    const part = this.#part;
    if (!part || !this.#known) return false;
    const wanted = this.#wish(this.#use());
    return someBound((bound) => wanted[bound] > this.#wanted[bound] && this.#obtainable[bound] > part[bound]);
  }

  /** Cancels begin with a small part, which is not a lease of the store. */
  prepare(): void {
    if (!this.#cancels) return;
    this.#part = FIRST_CANCELS;
    this.#obtainable = FIRST_CANCELS;
  }

  /** What the store is told next. */
  report(): LeaseReport {
    const use = this.#use();
    this.#wanted = this.#wish(use);
    this.#peak = Math.max(use.inFlight + use.waiting, this.#peak * PEAK_DECAY);
    const part = (this.#isEntitled ? this.#part : undefined) ?? NOTHING;
    const inUse = inUseOf(use);
    return {
      ...this.#reportOf(use),
      held: partOf((bound) => Math.max(part[bound], inUse[bound])),
      wanted: this.#wanted,
      target: this.#fairPart(this.#wanted),
      keep: this.#terms.lease + use.per,
    };
  }

  /** What the store is told at the end: what still counts. The member begins anew after it. */
  farewell(): LeaseReport {
    this.#part = undefined;
    this.#until = -Infinity;
    this.#known = undefined;
    this.#peak = 0;
    const use = this.#use();
    return { ...this.#reportOf(use), held: inUseOf(use), wanted: NOTHING, target: NOTHING, keep: use.per };
  }

  /** @param reportedAt - when the report was sent, which is before the store began to count the lease */
  accept({ granted, limit: whole, wanted, now }: LeaseAnswer, reportedAt: number): void {
    const { per } = this.#use();
    this.#known = { limit: whole, wanted, rotation: Math.floor(now / per / WINDOWS_OF_A_ROTATION) };
    this.#obtainable = atLeastOne(this.#fairPart(whole));
    const fair = this.#fairPart(this.#wanted);
    const least = this.#cancels ? FIRST_CANCELS : NOTHING;
    this.#part = partOf((bound) => Math.max(least[bound], Math.min(granted[bound], fair[bound])));
    this.#until = reportedAt + this.#terms.lease;
    this.#unsettled = someBound((bound) => {
      const due = Math.min(fair[bound], this.#wanted[bound]);
      return granted[bound] < due || (granted[bound] > due && due < this.#wanted[bound]);
    });
  }

  /** @param reportedAt - when the report was sent that the store did not answer */
  miss(reportedAt: number): void {
    this.#unsettled = true;
    const wasStopped = this.#requests.scheduler.now() - reportedAt > this.#terms.lease;
    // Where the process was stopped meanwhile, the answer may be there, unread.
    if (!wasStopped && !this.#isEntitled) this.#goOffline();
  }

  get #isEntitled(): boolean {
    return this.#requests.scheduler.now() <= this.#until;
  }

  /** What is used now. A bound that the limit does not have counts as one of which nothing is used. */
  #use(): BudgetUse {
    const use = this.#requests.use();
    return { ...use, limit: partOf((bound) => (use.limit[bound] === Infinity ? 0 : use.limit[bound])) };
  }

  #wish({ limit: whole, counted, inFlight, waiting }: BudgetUse): LimitPart {
    const used = { requests: counted + waiting, concurrent: Math.max(inFlight + waiting, this.#peak * PEAK_DECAY) };
    return partOf((bound) => Math.min(whole[bound], Math.ceil(used[bound] * (1 + SPARE_FRACTION)) + SPARE_REQUESTS));
  }

  #reportOf(use: BudgetUse): Pick<LeaseReport, 'member' | 'turn' | 'limit' | 'lease'> {
    return { member: this.#name, turn: ++this.#turn, limit: use.limit, lease: this.#terms.lease };
  }

  /** The part that the member should have, where it wants so much. */
  #fairPart(wanted: LimitPart): LimitPart {
    const known = this.#known;
    if (!known) return wanted;
    return partOf((bound) => {
      const others = Object.entries(known.wanted).map(([name, wish]) => [name, wish[bound]] as const);
      const wishes = new Map([...others.filter(([, wish]) => wish > 0), [this.#name, wanted[bound]]]);
      const reserve = this.#cancels ? Math.min(BEGINNERS * FIRST_CANCELS[bound], known.limit[bound] * MAX_RESERVE) : 0;
      return fairPart(known.limit[bound] - Math.floor(reserve), wishes, this.#name, known.rotation);
    });
  }

  /** Uses no more than the offline share, and no more than it had: others may have the rest of what it had. */
  #goOffline(): void {
    const before = (this.#known && this.#part) ?? NOTHING;
    const share = this.#offlineShare();
    this.#part = partOf((bound) => (before[bound] > 0 ? Math.min(before[bound], share[bound]) : share[bound]));
    this.#obtainable = atLeastOne(this.#part);
    this.#until = Infinity;
    this.#known = undefined;
    this.#unsettled = false;
  }

  /** A share of which cancels are one at least. */
  #offlineShare(): LimitPart {
    const { limit: whole } = this.#use();
    const { offlineShare } = this.#terms;
    const least = this.#cancels || offlineShare > 0 ? 1 : 0;
    return partOf((bound) => Math.min(whole[bound], Math.max(least, Math.floor(whole[bound] * offlineShare))));
  }
}

/** What a use holds of a limit, until it no longer counts. */
function inUseOf({ limit: whole, counted, inFlight }: BudgetUse): LimitPart {
  const inUse = { requests: counted, concurrent: inFlight };
  return partOf((bound) => (whole[bound] > 0 ? inUse[bound] : 0));
}

/** Something that is to be planned with. */
function atLeastOne(part: LimitPart): LimitPart {
  return partOf((bound) => Math.max(1, part[bound]));
}

import type { JobModel } from '../model/JobModel.js';
import type { Random } from '../model/random.js';
import type { ActiveFault, FaultControl } from './FaultControl.js';
import { faultKinds, type FaultKind } from './faultKinds.js';
import type { FaultContext, FaultOptions, FaultRule, JobFault, WorkerFault } from './FaultRule.js';
import { checkFault } from './readFaults.js';
import { rulesOf } from './rulesOf.js';

interface ActiveRule {
  readonly id: number;
  readonly rule: FaultRule;
  seen: number;
  struck: number;
  /** How many of the next matching requests or jobs the rule strikes as the rest of a burst. */
  burst: number;
}

/** Decides which fault strikes. Every rule counts its matches, even if another rule strikes first. */
export class Faults implements FaultControl {
  readonly #random: Random;
  readonly #now: () => number;
  #rules: readonly ActiveRule[] = [];
  #lastId = 0;
  readonly #listeners = new Set<() => void>();

  constructor(options: FaultOptions, random: Random, now: () => number) {
    this.#random = random;
    this.#now = now;
    this.add(options);
  }

  /** Calls `listener` whenever rules were added or removed. Returns a function that removes the listener. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  list(): readonly ActiveFault[] {
    return this.#rules.map(({ id, rule, seen, struck }) => ({ id, rule, seen, struck }));
  }

  add(options: FaultOptions): readonly number[] {
    const rules = rulesOf(options).map(checkFault);
    const added = rules.map((rule) => ({ id: (this.#lastId += 1), rule, seen: 0, struck: 0, burst: 0 }));
    this.#change([...this.#rules, ...added]);
    return added.map(({ id }) => id);
  }

  remove(ids: readonly number[]): number {
    const kept = this.#rules.filter(({ id }) => !ids.includes(id));
    const removed = this.#rules.length - kept.length;
    if (removed > 0) this.#change(kept);
    return removed;
  }

  clear(): void {
    this.#change([]);
  }

  /** The fault that strikes a request, if any. `dropped-stream` is not among them: see {@link forChunks}. */
  forRequest(context: FaultContext): FaultRule | undefined {
    return this.#strike(context, isOf('request'));
  }

  /** The `dropped-stream` fault that strikes an answer, if any. Called only for answers that hold chunks. */
  forChunks(context: FaultContext): FaultRule | undefined {
    return this.#strike(context, isOf('chunks'));
  }

  /** The delay that a `latency` fault adds to a request, in milliseconds; `undefined` if no such fault strikes. */
  latencyOf(context: FaultContext): number | undefined {
    const rule = this.#strike(context, isOf('latency'));
    return rule && (rule.after ?? 200) + Math.floor((rule.jitter ?? 0) * this.#random());
  }

  /** How many of an endpoint's workers a fault keeps away, at most `most`. */
  workersAway(fault: WorkerFault, endpoint: string, most: number): number {
    const counts = this.#rules
      .filter(({ rule }) => rule.fault === fault && (rule.endpoint ?? endpoint) === endpoint)
      .map(({ rule }) => rule.workers ?? most);
    return Math.min(most, Math.max(0, ...counts));
  }

  /** Whether a fault keeps all workers of an endpoint away, including workers of other processes. */
  keepsAllAway(endpoint: string): boolean {
    return this.#rules.some(
      ({ rule }) =>
        faultKinds[rule.fault] === 'workers' && rule.workers === undefined && (rule.endpoint ?? endpoint) === endpoint,
    );
  }

  forJob(fault: JobFault, job: JobModel): FaultRule | undefined {
    const { operation, input } = job.submission;
    const context = { at: this.#now(), endpointId: job.endpointId, operation, jobId: job.id, ...(input && { input }) };
    return this.#strike(context, (rule) => rule.fault === fault);
  }

  /** How many of `max` workers the faults leave to an endpoint. */
  workersAvailable(endpoint: string, max: number): number {
    if (this.#rules.length === 0) return max;
    const away = (['no-workers', 'throttled-workers', 'unhealthy-workers'] as const).map((fault) =>
      this.workersAway(fault, endpoint, max),
    );
    return Math.max(0, max - away.reduce((sum, count) => sum + count, 0));
  }

  #change(rules: readonly ActiveRule[]): void {
    this.#rules = rules;
    for (const listener of this.#listeners) listener();
  }

  #strike(context: FaultContext, concerned: (rule: FaultRule) => boolean): FaultRule | undefined {
    let first: ActiveRule | undefined;
    for (const active of this.#rules) {
      if (!concerned(active.rule) || !fits(active.rule, context)) continue;
      active.seen += 1;
      if (!first && this.#shouldStrike(active)) first = active;
    }
    if (first) first.struck += 1;
    return first?.rule;
  }

  #shouldStrike(active: ActiveRule): boolean {
    const { rule, seen, struck } = active;
    const { nth, times = Infinity, probability = 1, burst = 1 } = rule;
    if (struck >= times) return false;
    if (active.burst > 0) {
      active.burst -= 1;
      return true;
    }
    if (nth !== undefined && !(typeof nth === 'number' ? nth === seen : nth.includes(seen))) return false;
    if (probability < 1 && this.#random() >= probability) return false;
    active.burst = burst - 1;
    return true;
  }
}

function isOf(kind: FaultKind): (rule: FaultRule) => boolean {
  return ({ fault }) => faultKinds[fault] === kind;
}

function fits(rule: FaultRule, context: FaultContext): boolean {
  const { on, endpoint, when } = rule;
  // Workers send requests all the time: without `on`, they would use up the strikes that are meant for clients.
  if (on === undefined && context.workerId !== undefined) return false;
  if (on !== undefined && !(typeof on === 'string' ? [on] : on).some((operation) => operation === context.operation)) {
    return false;
  }
  if (endpoint !== undefined && endpoint !== context.endpointId) return false;
  try {
    return when?.(context) ?? true;
  } catch {
    // An error here has nobody to go to: many faults strike in timers. The rule does not strike.
    return false;
  }
}

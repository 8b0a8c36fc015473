import type { LeaseAnswer, LeaseReport, LeaseStore } from '../../src/budget/LeaseStore.js';
import type { LimitPart } from 'runpod-rx';

interface Member {
  readonly turn: number;
  readonly held: LimitPart;
  readonly wanted: LimitPart;
  readonly limit: LimitPart;
  readonly keptUntil: number;
}

interface State {
  at: number;
  settled: number;
  members: Map<string, Member>;
}

const isNothing = ({ requests, concurrent }: LimitPart) => requests === 0 && concurrent === 0;

/** A store in memory, by the clock of a test: what the stores in Redis and Postgres do, in other words. */
export class MemoryLeases implements LeaseStore {
  readonly #now: () => number;
  #limits = new Map<string, State>();
  #settled: number | undefined;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Has it forget everything, or what was told after `snapshot`. */
  restart(snapshot = new Map<string, State>()): void {
    this.#limits = structuredClone(snapshot);
    this.#settled = undefined;
  }

  snapshot(): Map<string, State> {
    return structuredClone(this.#limits);
  }

  /** What the members of a limit hold together. */
  held(limit: string): LimitPart {
    const held = [...(this.#limits.get(limit)?.members.values() ?? [])].map((member) => member.held);
    return {
      requests: held.reduce((sum, { requests }) => sum + requests, 0),
      concurrent: held.reduce((sum, { concurrent }) => sum + concurrent, 0),
    };
  }

  exchange(limit: string, report: LeaseReport): LeaseAnswer[] {
    const now = this.#now();
    const soon = now + report.lease;
    this.#settled = Math.min(this.#settled ?? soon, soon);
    const state = this.#limits.get(limit) ?? { at: now, settled: 0, members: new Map<string, Member>() };
    this.#limits.set(limit, state);
    this.#forget(state, report, now);
    state.settled = Math.min(state.settled, soon);
    const settled = Math.max(state.settled, this.#settled);
    const others = [...state.members].filter(([name]) => name !== report.member).map(([, member]) => member);
    const limitOf = (bound: keyof LimitPart) =>
      Math.max(report.limit[bound], ...others.map((member) => member.limit[bound]));
    const grant = (bound: keyof LimitPart) => {
      if (now < settled) return report.held[bound];
      const free = others.reduce((left, { held }) => left - held[bound], limitOf(bound));
      return Math.max(0, Math.min(report.target[bound], free));
    };
    const granted = { requests: grant('requests'), concurrent: grant('concurrent') };
    const own = state.members.get(report.member);
    if (!own || own.turn < report.turn) {
      const held = {
        requests: Math.max(report.held.requests, granted.requests),
        concurrent: Math.max(report.held.concurrent, granted.concurrent),
      };
      const { turn, wanted, limit: known, keep } = report;
      if (isNothing(held) && isNothing(wanted)) state.members.delete(report.member);
      else state.members.set(report.member, { turn, held, wanted, limit: known, keptUntil: now + keep });
    }
    state.at = now;
    const wanted = Object.fromEntries([...state.members].map(([name, member]) => [name, member.wanted]));
    return [{ granted, limit: { requests: limitOf('requests'), concurrent: limitOf('concurrent') }, wanted, now }];
  }

  #forget(state: State, { member: reporter, lease }: LeaseReport, now: number): void {
    const wanting = [...state.members].filter(([, { wanted }]) => !isNothing(wanted));
    if (now > state.at + lease && wanting.some(([name]) => name !== reporter)) {
      state.settled = now + lease;
      for (const [name, member] of wanting)
        state.members.set(name, { ...member, keptUntil: Math.max(member.keptUntil, now + lease) });
    }
    for (const [name, { keptUntil }] of state.members) if (keptUntil < now) state.members.delete(name);
  }
}

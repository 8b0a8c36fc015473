import type { Job } from '../model/Job.js';
import type { Random } from '../model/random.js';
import type { FaultContext, FaultName, FaultOptions, FaultRule, JobFault } from './FaultRule.js';

interface ActiveRule {
  readonly rule: FaultRule;
  seen: number;
  struck: number;
}

const JOB_FAULTS: readonly FaultName[] = [
  'transient-404',
  'lost-worker',
  'json-error',
  'no-output',
  'late-progress',
  'duplicate-webhook',
];

function rulesOf(options: FaultOptions): readonly FaultRule[] {
  if (isList(options)) return options;
  // An option that is there and undefined is as good as absent.
  const entries: readonly [string, Exclude<FaultOptions, readonly FaultRule[]>[FaultName]][] = Object.entries(options);
  return entries.flatMap(([name, value]): FaultRule[] => {
    const fault = name as FaultName; // the keys of FaultOptions are names of faults
    if (value === undefined) return [];
    return [typeof value === 'number' ? { fault, probability: value } : { ...value, fault }];
  });
}

// Array.isArray does not narrow a readonly array away.
function isList(options: FaultOptions): options is readonly FaultRule[] {
  return Array.isArray(options);
}

/** Decides what goes wrong. Every rule counts what it sees, whether or not another rule strikes first. */
export class Faults {
  private rules: readonly ActiveRule[] = [];

  constructor(
    options: FaultOptions,
    private readonly random: Random,
    private readonly now: () => number,
  ) {
    for (const rule of rulesOf(options)) this.add(rule);
  }

  /** Adds a rule; calling what it returns takes it away again. */
  add(rule: FaultRule): () => void {
    const active: ActiveRule = { rule, seen: 0, struck: 0 };
    this.rules = [...this.rules, active];
    return () => {
      this.rules = this.rules.filter((other) => other !== active);
    };
  }

  /** What goes wrong with a request, if anything; `dropped-stream` is asked for apart, once there are chunks. */
  forRequest(context: FaultContext): FaultRule | undefined {
    return this.strike(context, (name) => name !== 'dropped-stream' && !JOB_FAULTS.includes(name));
  }

  forChunks(context: FaultContext): FaultRule | undefined {
    return this.strike(context, (name) => name === 'dropped-stream');
  }

  forJob(fault: JobFault, job: Job): FaultRule | undefined {
    const { operation, input } = job.submission;
    const context = { at: this.now(), endpointId: job.endpointId, operation, jobId: job.id, ...(input && { input }) };
    return this.strike(context, (name) => name === fault);
  }

  private strike(context: FaultContext, concerned: (fault: FaultName) => boolean): FaultRule | undefined {
    let first: ActiveRule | undefined;
    for (const active of this.rules) {
      if (!concerned(active.rule.fault) || !fits(active.rule, context)) continue;
      active.seen += 1;
      if (!first && this.due(active)) first = active;
    }
    if (first) first.struck += 1;
    return first?.rule;
  }

  private due({ rule, seen, struck }: ActiveRule): boolean {
    const { nth, times = Infinity, probability = 1 } = rule;
    if (struck >= times) return false;
    if (nth !== undefined && !(typeof nth === 'number' ? nth === seen : nth.includes(seen))) return false;
    return probability >= 1 || this.random() < probability;
  }
}

function fits(rule: FaultRule, context: FaultContext): boolean {
  const { on, endpoint, when } = rule;
  // Workers ask again and again: they would use up what was meant for clients.
  if (on === undefined && context.workerId !== undefined) return false;
  if (on !== undefined && !(typeof on === 'string' ? [on] : on).some((operation) => operation === context.operation)) {
    return false;
  }
  if (endpoint !== undefined && endpoint !== context.endpointId) return false;
  return when?.(context) ?? true;
}

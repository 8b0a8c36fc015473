import { inspect } from 'node:util';
import fc from 'fast-check';
import { Observable, map, timer } from 'rxjs';
import { expect, test } from 'vitest';
import { seed } from '../support/seed.js';
import type { HandlerContext, HandlerJob, JobRecord } from 'runpod-rx/testing';
import { world, type World } from './world.js';

/** The handler of the local workers. `input.kind` decides whether a job completes, streams, fails or throws. */
function handler({ input }: HandlerJob, { delay, scheduler, progress }: HandlerContext): unknown {
  const ms = Number(input.ms);
  switch (input.kind) {
    case 'stream':
      return timer(0, Math.max(ms, 1), scheduler).pipe(
        map((n) => n),
        (source) => new Observable((out) => source.subscribe((n) => (n < 3 ? out.next(n) : out.complete()))),
      );
    case 'fail':
      return delay(ms).pipe(map(() => ({ error: 'why' })));
    case 'throw':
      throw new Error('thrown');
    case 'progress':
      progress('half');
      return delay(ms).pipe(map(() => 'done'));
    default:
      return delay(ms).pipe(map(() => 'done'));
  }
}

const ms = fc.oneof(fc.nat(200), fc.nat(20_000), fc.nat(120_000));
const pick = fc.nat(19);
const name = fc.constantFrom('r1', 'r2', 'r3');

/** The actions of clients and remote workers, and the passing of time. `job` and `run` choose an existing job or run. */
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      operation: fc.constantFrom('run', 'run', 'runsync'),
      kind: fc.constantFrom('work', 'work', 'stream', 'fail', 'throw', 'progress', 'empty'),
      ms,
      policy: fc.constantFrom(
        {},
        {},
        { ttl: 10_000 },
        { executionTimeout: 5_000 },
        { lowPriority: true },
        { ttl: 90_000 },
      ),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('stream' as const), job: pick }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('cancel' as const, 'retry' as const, 'status' as const), job: pick }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('purge' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('take' as const), worker: name, size: fc.integer({ min: 1, max: 3 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('done' as const, 'chunk' as const, 'progress' as const), run: pick }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('ping' as const), worker: name, knows: fc.boolean() }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const furnishing = fc.record({
  workers: fc.record({ max: fc.nat(3), min: fc.nat(1), concurrency: fc.integer({ min: 1, max: 2 }) }),
  /** Whether the values that handlers emit are chunks. */
  stream: fc.boolean(),
  local: fc.constantFrom(true, true, true, false),
  coldStart: fc.constantFrom(0, 3_000),
  lost: fc.constantFrom(0, 0, 0, 0.3),
  expired: fc.constantFrom('gone' as const, 'timed-out' as const),
  purged: fc.constantFrom('gone' as const, 'cancelled' as const),
});

/** The statuses that may follow a status directly. `reachable` extends this to several steps between two looks. */
const NEXT: Readonly<Record<string, readonly string[]>> = {
  IN_QUEUE: ['IN_PROGRESS', 'CANCELLED', 'TIMED_OUT'],
  IN_PROGRESS: ['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'IN_QUEUE'],
  COMPLETED: [],
  CANCELLED: [],
  FAILED: ['IN_QUEUE'],
  TIMED_OUT: ['IN_QUEUE'],
};

/** A job's progress as a list of numbers, compared from the left. It never decreases. */
const age = ({ runs, retries, renewals, end }: JobRecord) => [renewals, retries, runs.length, end ? 1 : 0] as const;

interface Held {
  readonly worker: string;
  readonly id: string;
}

/** Performs the steps, and checks the invariants after each step. */
class Play {
  readonly seen = new Map<string, JobRecord>();
  readonly read = new Map<string, unknown[]>();
  /** Every job that a remote worker has taken, newest last. */
  readonly held: Held[] = [];
  readonly counted: Record<string, number> = {};
  private readonly ids: string[] = [];
  /** The failures by job and renewal. The value tells whether a lost worker was the cause. */
  private readonly failures = new Map<string, boolean>();
  /** Runs that still last although the posts of their worker are refused. */
  private readonly unheard: { readonly id: string; readonly startedAt: number }[] = [];

  /** @param lossy - whether a fault makes workers disappear */
  constructor(
    private readonly w: World,
    private readonly lossy: boolean,
  ) {}

  count(what: string, by = 1): void {
    this.counted[what] = (this.counted[what] ?? 0) + by;
  }

  take(step: Step): void {
    const { w } = this;
    // One of the latest five jobs, since older jobs have probably ended.
    const id = 'job' in step ? this.ids.at(-1 - (step.job % 5)) : undefined;
    switch (step.do) {
      case 'submit': {
        const input = step.kind === 'empty' ? {} : { kind: step.kind, ms: step.ms };
        w.send('POST', `demo/${step.operation}`, { input, policy: step.policy });
        const job = w.emulator.jobs().at(-1);
        if (job) this.ids.push(job.id);
        return;
      }
      case 'wait':
        w.until(w.scheduler.now() + step.ms);
        return;
      case 'stream':
        if (id !== undefined) this.stream(id);
        return;
      case 'status':
      case 'cancel':
      case 'retry':
        if (id !== undefined) w.send(step.do === 'status' ? 'GET' : 'POST', `demo/${step.do}/${id}`);
        return;
      case 'purge':
        w.send('POST', 'demo/purge-queue');
        return;
      case 'take': {
        const path = `demo/job-take-batch/${step.worker}?batch_size=${step.size}`;
        w.emulator.handle({ method: 'GET', url: `/v2/${path}`, headers: {} }).subscribe(({ status, text }) => {
          if (status !== 200) return;
          for (const { id: taken } of JSON.parse(text) as { id: string }[]) {
            this.held.push({ worker: step.worker, id: taken });
          }
        });
        return;
      }
      case 'ping': {
        const mine = this.held.filter(({ worker }) => worker === step.worker).map((one) => one.id);
        w.send('GET', `demo/ping/${step.worker}?runpod_version=1${step.knows ? `&job_id=${mine.join(',')}` : ''}`);
        return;
      }
      default:
        this.post(step.do, step.run);
    }
  }

  /** A remote worker posts for a job that it has or once had. */
  private post(what: 'done' | 'chunk' | 'progress', at: number): void {
    const held = this.held[this.held.length - 1 - (at % Math.max(this.held.length, 1))];
    if (!held) return;
    const { worker, id } = held;
    const before = this.w.emulator.jobs().find((job) => job.id === id);
    const body = what === 'progress' ? { status: 'IN_PROGRESS', output: 1 } : { output: `${worker} ${at}` };
    const { status } = this.w.send('POST', `demo/job-${what === 'chunk' ? 'stream' : 'done'}/${worker}/${id}`, body);
    const last = before?.runs.at(-1);
    const has = last !== undefined && last.endedAt === undefined && last.workerId === worker;
    const reported = before?.runs.some((run) => run.workerId === worker && run.outcome === 'reported') ?? false;
    if (has && this.lossy && status === 404) {
      this.unheard.push({ id, startedAt: last.startedAt });
      this.count('posts unheard');
      return;
    }
    if (has) expect(status).toBe(200);
    // A job that has ended takes no posts, but the worker is not told so, as long as the job is known.
    if (!has && !reported && before?.end === undefined) expect(status).toBe(404);
    this.count(has ? 'posts taken' : 'posts refused');
  }

  private stream(id: string): void {
    this.w.emulator
      .handle({ method: 'GET', url: `/v2/demo/stream/${id}`, headers: {} })
      .subscribe(({ status, text }) => {
        if (status !== 200) return;
        const { stream } = JSON.parse(text) as { stream: { output: unknown }[] };
        const all = this.read.get(id) ?? [];
        all.push(...stream.map(({ output }) => output));
        this.read.set(id, all);
      });
  }

  look(): void {
    const { w } = this;
    const health = w.ask('GET', 'demo/health') as Record<'jobs' | 'workers', Record<string, number>>;
    const jobs = w.emulator.jobs();
    const total = (fits: (job: JobRecord) => boolean) => jobs.filter(fits).length;
    const ends = (end: string) => total((job) => job.end === end);

    for (const job of jobs) this.lookAt(job);

    // No job is lost: the ledger has every submitted job, and health counts it.
    expect(jobs.map(({ id }) => id)).toEqual(this.ids);
    expect(health.jobs.inQueue).toBe(total(({ status }) => status === 'IN_QUEUE'));
    expect(health.jobs.inProgress).toBe(total(({ status }) => status === 'IN_PROGRESS'));
    const again = jobs.reduce((sum, { renewals }) => sum + renewals, 0);
    expect(health.jobs.completed).toBe(ends('completed'));
    // Health counts a failure even if the job was retried later. A lost run is either a failure or a retry.
    expect(health.jobs.failed).toBe(this.failures.size);
    const lost = jobs.flatMap(({ runs }) => runs).filter(({ outcome }) => outcome === 'lost').length;
    const failedByLoss = [...this.failures.values()].filter(Boolean).length;
    expect(health.jobs.retried).toBe(again + lost - failedByLoss);
    // The counts of health add up to the number of submitted jobs.
    const { completed, failed, inProgress, inQueue } = health.jobs;
    const others = total(({ end }) => end !== undefined && end !== 'completed' && end !== 'failed');
    const renewed = this.failures.size - ends('failed');
    expect(completed! + failed! - renewed + others + inProgress! + inQueue!).toBe(this.ids.length);
    // Every running worker has a job, and no count is negative.
    const busy = new Set(
      jobs.flatMap(({ runs }) => runs.filter((run) => !run.endedAt && !run.outcome)).map((run) => run.workerId),
    );
    expect(health.workers.running).toBeLessThanOrEqual(busy.size);
    for (const count of Object.values(health.workers)) expect(count).toBeGreaterThanOrEqual(0);
  }

  private lookAt(job: JobRecord): void {
    const before = this.seen.get(job.id);
    this.seen.set(job.id, job);
    const { runs, status, end } = job;
    if (end === 'failed') this.failures.set(`${job.id} ${job.renewals}`, runs.at(-1)?.outcome === 'lost');

    // A job is IN_PROGRESS exactly if one of its runs has no end.
    expect(runs.filter((run) => run.endedAt === undefined)).toHaveLength(status === 'IN_PROGRESS' ? 1 : 0);
    expect(end === undefined).toBe(status === 'IN_QUEUE' || status === 'IN_PROGRESS');
    // A job never runs on two workers at once.
    for (const [at, run] of runs.entries()) {
      const next = runs[at + 1];
      if (next) expect(run.endedAt).toBeLessThanOrEqual(next.startedAt);
      if (run.endedAt !== undefined) expect(run.outcome).toBeDefined();
    }
    // The platform runs a job again at most once.
    expect(job.retries).toBeLessThanOrEqual(1);
    // No unfinished job is older than its time to live. A renewal restarts that time.
    if (end === undefined && job.renewals === 0) {
      expect(this.w.scheduler.now() - job.submittedAt).toBeLessThan(job.policy.ttl ?? 86_400_000);
    }
    // Each chunk is read once, in order.
    const read = this.read.get(job.id) ?? [];
    expect(read).toHaveLength(job.chunksHandedOut);
    expect(job.chunks.slice(0, read.length)).toEqual(read);

    if (!before) return;
    if (before.status !== status) {
      this.count(`${before.status} → ${status}`);
      // A job returns to the queue only if the platform or a client ran it again.
      const again = job.retries + job.renewals !== before.retries + before.renewals || job.renewals !== before.renewals;
      expect(reachable(before.status, again)).toContain(status);
    }
    // A job's progress never decreases, and an ended job does not change unless a client retries it.
    const [then, now] = [age(before), age(job)];
    const first = then.findIndex((part, at) => part !== now[at]);
    if (first >= 0) expect(now[first]).toBeGreaterThan(then[first] ?? 0);
    if (before.end !== undefined && before.renewals === job.renewals) {
      expect({ ...job, cancelRequests: 0, chunksHandedOut: 0 }).toEqual({
        ...before,
        cancelRequests: 0,
        chunksHandedOut: 0,
      });
    }
  }

  /** Lets all time pass, and checks that every job has ended that a worker can serve. */
  finish(served: boolean): void {
    this.w.until(this.w.scheduler.now() + 1_300_000);
    this.look();
    for (const job of this.w.emulator.jobs()) {
      const { status, runs, policy } = job;
      for (const { startedAt } of this.unheard.filter(({ id }) => id === job.id)) {
        const run = runs.find((one) => one.startedAt === startedAt && one.outcome !== 'reported');
        expect(run?.outcome).toMatch(/^(lost|killed|expired|cancelled)$/);
      }
      if (status === 'IN_PROGRESS') expect.unreachable('a job runs forever');
      if (served && status === 'IN_QUEUE') expect(policy.lowPriority).toBe(true);
      this.count(`end ${String(job.end)}`);
      for (const run of runs) this.count(`run ${String(run.outcome)}`);
      this.count('chunks read', job.chunksHandedOut);
    }
  }
}

function reachable(status: string, again: boolean): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (from: string): void => {
    for (const to of NEXT[from] ?? []) {
      if (found.has(to) || (to === 'IN_QUEUE' && !again)) continue;
      found.add(to);
      visit(to);
    }
  };
  visit(status);
  return found;
}

/** How often each event must have occurred over all runs. With fewer events the property proves little. */
const MINIMUM: Readonly<Record<string, number>> = {
  'end completed': 100,
  'end failed': 120,
  'end cancelled': 20,
  'end expired': 30,
  'end timed-out': 30,
  'end purged': 70,
  'run reported': 130,
  'run lost': 200,
  'run killed': 40,
  'run cancelled': 10,
  'run expired': 40,
  'posts taken': 120,
  'posts refused': 150,
  'posts unheard': 2,
  'chunks read': 20,
  'FAILED → IN_QUEUE': 1,
  'IN_PROGRESS → IN_QUEUE': 50,
};

test('invariants of the model', () => {
  process.stdout.write(`seed ${seed} (SEED=${seed} repeats it)\n`);
  const counted: Record<string, number> = {};
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80, size: 'max' }), furnishing, (steps, endpoint) => {
      const { workers, local, stream, coldStart, lost, expired, purged } = endpoint;
      const w = world({
        endpoints: {
          demo: { ...(local && { handler }), stream, workers, coldStart, retention: { run: 1e7, runsync: 1e7 } },
        },
        limits: false,
        faults: { 'lost-worker': lost },
        variants: { expired, purged },
      });
      const play = new Play(w, lost > 0);
      for (const one of steps) {
        play.take(one);
        play.look();
      }
      play.finish(local && workers.max > 0);
      w.emulator.close();
      for (const [what, count] of Object.entries(play.counted)) counted[what] = (counted[what] ?? 0) + count;
    }),
    { seed, numRuns: 150 },
  );
  process.stdout.write(`${inspect(counted)}\n`);
  for (const [what, least] of Object.entries(MINIMUM)) {
    expect(counted[what] ?? 0, what).toBeGreaterThanOrEqual(least);
  }
});

import type { Observable } from 'rxjs';
import { VirtualTimeScheduler, concat, ignoreElements, map, of, retry, take, tap, throwError, timer } from 'rxjs';
import { createRunpod } from 'runpod-rx';
import type { Endpoint, JobRef, Runpod, SettleReport } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import type {
  Answer,
  EmulatorRequest,
  FaultRule,
  HandlerContext,
  HandlerJob,
  JobRecord,
  RequestRecord,
} from 'runpod-rx/testing';
import { END, type Act, type History, type JobPlan } from './History.js';
import { Life } from './Life.js';
import { Wire, isOver, mayActed } from './Wire.js';

/** Longer than anything may go on after the last unsubscribing: a cancel is given up after ten minutes. */
const SETTLED = END + 1_200_000;

/** The result of a history: the server's jobs, the requests, and what the test did and saw. */
export interface Played {
  readonly history: History;
  readonly wire: Wire;
  readonly lives: readonly Life[];
  readonly jobs: readonly JobRecord[];
  readonly requests: readonly RequestRecord[];
  /** What `settled()` of each client reported at the end, where it did. */
  readonly reports: readonly (SettleReport | undefined)[];
  /** The views that were still subscribed to at the end: when, and which. */
  readonly openAtEnd: readonly { readonly life: Life; readonly view: number }[];
  /** How many timers remain after the server was stopped. */
  readonly timers: number;
  readonly closedAt: number | undefined;
}

export function play(history: History): Played {
  const { server, jobs: plans, closeAt } = history;
  const scheduler = new VirtualTimeScheduler();
  const now = () => scheduler.now();
  const random = chance(server.seed);
  const emulator = createEmulator({
    endpoints: {
      plain: { ...workers(server), handler: result },
      stream: { ...workers(server), handler: chunks, stream: true, aggregate: server.aggregate },
    },
    faults: rules(server.faults),
    seed: server.seed,
    latency: () => Math.floor(random() * server.latency),
    limits: server.limits,
    variants: server.variants,
    intercept: weather(history, now, random),
    scheduler,
  });
  const wire = new Wire(scheduler);
  const clients: Runpod[] = [0, 1].map((client) =>
    createRunpod({
      transport: wire.through(emulator.transport, client),
      scheduler,
      random,
      apiKey: 'key',
      limits: server.limits,
    }),
  );
  const submissions = (nth: number) => wire.exchanges.filter((sent) => sent.nth === nth);
  const world = {
    wire,
    now,
    maybeSent: (nth: number) => submissions(nth).some(mayActed),
    idOf: (nth: number) => submissions(nth).find(({ http = 500, body }) => http < 300 && body?.id)?.body?.id,
  };

  const lives: Life[] = [];
  let closedAt: number | undefined;
  plans.forEach((plan, nth) => {
    const endpointOf = (client: number): Endpoint => clients[client]!.endpoint(plan.work.chunks ? 'stream' : 'plain');
    const mine: Life[] = [];
    const add = (life: (controller: AbortController) => Life) => {
      const controller = new AbortController();
      const made = life(controller);
      mine.unshift(made);
      lives.push(made);
      const { abortAt } = made.options;
      if (abortAt !== undefined)
        scheduler.schedule(
          () => {
            made.stop('signal');
            controller.abort();
          },
          Math.max(0, abortAt - now()),
        );
    };
    const optionsFor = ({ prepares, abortAt, ...options }: JobPlan['options'], signal: AbortSignal) => ({
      ...options,
      ...(abortAt !== undefined && { signal }),
      ...(prepares !== undefined && {
        beforeSubmit: <T>(request: T) => timer(prepares, scheduler).pipe(map(() => request)),
      }),
    });
    add(({ signal }) => {
      const { ttl } = plan.work;
      const request = { input: { nth, ...plan.work }, ...(ttl !== undefined && { policy: { ttl } }) };
      const job = endpointOf(0).job(request, optionsFor(plan.options, signal));
      return new Life(nth, 0, job, plan.options, undefined, world);
    });

    const perform = (act: Act): void => {
      const life = mine[act.nth % mine.length]!;
      switch (act.do) {
        case 'look':
          life.subscriptions.push(subscribe(life, act, scheduler));
          return;
        case 'cancel':
          life.cancel();
          return;
        case 'detach':
          life.detach();
          return;
        case 'attach': {
          const id = life.id;
          const endpointId = plan.work.chunks ? 'stream' : 'plain';
          const known = act.by === 'ref' ? life.ref : undefined;
          const ref: JobRef | undefined = known ?? (id === undefined ? undefined : { v: 1, endpointId, id });
          if (!ref) return;
          const client = act.elsewhere ? 1 : 0;
          add(({ signal }) => {
            const job = endpointOf(client).attach(known ?? ref.id, optionsFor(act.options, signal));
            return new Life(nth, client, job, act.options, ref, world);
          });
        }
      }
    };
    for (const act of plan.acts) scheduler.schedule(() => perform(act), act.at);
  });

  const reports: (SettleReport | undefined)[] = [undefined, undefined];
  const close = () => {
    closedAt = now();
    for (const life of lives) if (life.client === 0) life.stop('close()');
    clients[0]!.close().subscribe((report) => (reports[0] = report));
  };
  if (closeAt !== undefined) scheduler.schedule(close, closeAt);

  const openAtEnd: { life: Life; view: number }[] = [];
  scheduler.schedule(() => {
    for (const life of lives) {
      life.views.forEach(({ how }, view) => !how && openAtEnd.push({ life, view }));
      for (const subscription of life.subscriptions) subscription.unsubscribe();
    }
  }, END);
  // Lets a grace end.
  scheduler.schedule(() => {
    for (const life of lives) life.settle();
    clients.forEach((client, nth) => {
      client.settled().subscribe((report) => (reports[nth] ??= report));
    });
  }, END + 15_000);
  scheduler.maxFrames = SETTLED;
  scheduler.flush();
  const jobs = emulator.jobs();
  const requests = emulator.requests();
  emulator.close();
  const timers = scheduler.actions.length;
  return { history, wire, lives, jobs, requests, reports, openAtEnd, timers, closedAt };
}

/** Subscribes to a view as the plan says. */
function subscribe(life: Life, act: Act & { do: 'look' }, scheduler: VirtualTimeScheduler) {
  const { leaves, retries } = act;
  let view$ = life.look(act.view);
  if (retries) {
    const { count, after } = retries;
    view$ = view$.pipe(retry({ count, ...(after && { delay: () => timer(after, scheduler) }) }));
  }
  if (leaves && 'values' in leaves) view$ = view$.pipe(take(leaves.values));
  const subscription = view$.subscribe({ error: () => undefined });
  if (leaves && 'after' in leaves) scheduler.schedule(() => subscription.unsubscribe(), leaves.after);
  return subscription;
}

const workers = ({ workers: max, coldStart, retention }: History['server']) => ({
  workers: max,
  coldStart,
  retention: { run: retention },
  executionTimeout: 7 * 86_400_000,
});

type Work = JobPlan['work'] & { readonly nth: number };

/** The output of a job without chunks. */
const outputOf = (nth: number) => ({ nth, image: `${nth}.png` });

function result({ input }: HandlerJob, { delay, progress }: HandlerContext) {
  const { nth, takes, fails, progress: updates } = input as unknown as Work;
  const pause = Math.floor(takes / (updates + 1));
  return concat(
    ...Array.from({ length: updates }, (_, step) =>
      delay(pause).pipe(
        tap(() => progress({ step })),
        ignoreElements(),
      ),
    ),
    delay(pause).pipe(map(() => (fails ? { error: 'no luck' } : outputOf(nth)))),
  );
}

/** All chunks differ, also those of a second run; the first is falsy. */
function chunks({ input }: HandlerJob, { delay, attempt }: HandlerContext) {
  const { takes, fails, chunks: count, burst } = input as unknown as Work;
  const pause = Math.floor((takes === 100_000_000 ? 30_000 : takes) / (Math.ceil(count / burst) + 1));
  return concat(
    ...Array.from({ length: count }, (_, n) => {
      const chunk = (attempt - 1) * 100 + n;
      return n % burst ? of(chunk) : delay(pause).pipe(map(() => chunk));
    }),
    delay(takes === 100_000_000 ? takes : pause).pipe(
      map(() => {
        if (fails) throw new Error('no luck');
      }),
      ignoreElements(),
    ),
  );
}

function rules(faults: History['server']['faults']): FaultRule[] {
  if (!faults) return [];
  const { run, read, cancel, job, lag, late } = faults;
  const some = (chances: object, more: Partial<FaultRule>) =>
    Object.entries(chances as Record<FaultRule['fault'], number>).flatMap(([fault, probability]) =>
      probability ? [{ fault: fault as FaultRule['fault'], probability, ...more }] : [],
    );
  const { 'transient-404': hidden, 'late-progress': reverted, ...others } = job;
  const { 'dropped-stream': dropped, ...reads } = read;
  return [
    // A gateway lost the answer, and the service has taken the job.
    ...some({ 'empty-502': run['empty-502'] }, { on: 'run', accepted: true }),
    ...some(run, { on: 'run' }),
    ...some(reads, { on: ['status', 'stream', 'health'] }),
    ...some({ 'dropped-stream': dropped }, {}),
    ...some(cancel, { on: 'cancel' }),
    ...some(others, {}),
    ...some({ 'transient-404': hidden }, { for: lag }),
    ...some({ 'late-progress': reverted }, { after: late.after, ...(late.for !== undefined && { for: late.for }) }),
  ];
}

/** Outages, and unknown statuses. */
function weather({ server }: History, now: () => number, random: () => number) {
  const { outage, faults } = server;
  const failing = (): Observable<Answer> => {
    const how = outage?.how;
    if (how === '502' || how === '429') return of({ status: Number(how), headers: {}, text: '' });
    const phase = how === 'refused' ? 'connect' : 'sent';
    return throwError(() => Object.assign(new Error('outage'), { phase, code: 'ECONNRESET' }));
  };
  return (request: EmulatorRequest, next: (request: EmulatorRequest) => Observable<Answer>) => {
    const at = now();
    if (outage && at >= outage.from && at < outage.from + outage.for) return failing();
    const answer$ = next(request);
    if (!faults?.unknown || !/\/(status|stream)\//.test(request.url) || random() >= faults.unknown) return answer$;
    return answer$.pipe(map((answer) => ({ ...answer, text: strange(answer.text) })));
  };
}

function strange(text: string): string {
  const status = /"status":"(\w+)"/.exec(text)?.[1];
  return status === undefined || isOver(status) ? text : text.replace(`"status":"${status}"`, '"status":"REHEATING"');
}

function chance(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

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
import { foreignReply, hostileTexts, pageReply, pages, type PageName } from '../../support/hostile.js';
import { Machine } from '../../support/Machine.js';
import { endOf, type Act, type History, type JobPlan } from './History.js';
import { Life } from './Life.js';
import { Wire, isOver, mayActed } from './Wire.js';

/** Longer than anything may go on after the last unsubscribing: a cancel is given up after ten minutes. */
const SETTLING = 1_200_000;

/** The result of a history: the server's jobs, the requests, and what the test did and saw. */
export interface Played {
  readonly history: History;
  readonly wire: Wire;
  readonly lives: readonly Life[];
  readonly jobs: readonly JobRecord[];
  readonly requests: readonly RequestRecord[];
  /** What `close()` and `settled()` of each client reported. */
  readonly reports: readonly (readonly SettleReport[])[];
  readonly machines: readonly Machine[];
  /** The views that were still subscribed to at the end: when, and which. */
  readonly openAtEnd: readonly { readonly life: Life; readonly view: number }[];
  /** How many timers remain after the server was stopped. */
  readonly timers: number;
  readonly closedAt: number | undefined;
  /** When the last subscribers of each client unsubscribed. */
  readonly ends: readonly number[];
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
  const ends = [endOf(history, 0), endOf(history, 1)] as const;
  const machines = history.machines.map(({ wallOffset, events }) => {
    const machine = new Machine(scheduler, wallOffset);
    for (const { at, event } of events)
      scheduler.schedule(() => {
        machine.perform(event);
      }, at);
    return machine;
  });
  const wire = new Wire(scheduler);
  const clients: Runpod[] = machines.map((machine, client) =>
    createRunpod({
      transport: wire.through(machine.transport(emulator.transport), client),
      scheduler: machine.scheduler,
      random,
      apiKey: 'key',
      limits: server.limits,
    }),
  );
  const submissions = (nth: number) => wire.exchanges.filter((sent) => sent.nth === nth);
  const world = {
    wire,
    machines,
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
        made.machine.scheduler.schedule(
          () => {
            made.stop('signal');
            controller.abort();
          },
          Math.max(0, abortAt - now()),
        );
    };
    const optionsFor = (
      { prepares, abortAt, ...options }: JobPlan['options'],
      { scheduler: clock }: Machine,
      signal: AbortSignal,
    ) => ({
      ...options,
      tag: tagOf(nth),
      ...(abortAt !== undefined && { signal }),
      ...(prepares !== undefined && {
        beforeSubmit: <T>(request: T) => timer(prepares, clock).pipe(map(() => request)),
      }),
    });
    add(({ signal }) => {
      const { ttl } = plan.work;
      const request = { input: { nth, ...plan.work }, ...(ttl !== undefined && { policy: { ttl } }) };
      const job = endpointOf(0).job(request, optionsFor(plan.options, machines[0]!, signal));
      return new Life(nth, 0, job, plan.options, undefined, world);
    });

    const perform = (act: Act, life: Life): void => {
      switch (act.do) {
        case 'look':
          life.subscriptions.push(subscribe(life, act));
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
          const known = act.by === 'ref' && life.ref ? life.machine.skewed(life.ref, act.skew) : undefined;
          const ref: JobRef | undefined = known ?? (id === undefined ? undefined : { v: 1, endpointId, id });
          if (!ref) return;
          const client = act.elsewhere ? 1 : 0;
          const attach = () =>
            add(({ signal }) => {
              const job = endpointOf(client).attach(
                known ?? ref.id,
                optionsFor(act.options, machines[client]!, signal),
              );
              return new Life(nth, client, job, act.options, ref, world);
            });
          machines[client]!.whenAwake(attach);
        }
      }
    };
    // What is to be done while its machine sleeps is done when it wakes.
    for (const act of plan.acts)
      scheduler.schedule(() => {
        const life = mine[act.nth % mine.length]!;
        life.machine.whenAwake(() => {
          perform(act, life);
        });
      }, act.at);
  });

  const reports: SettleReport[][] = [[], []];
  const note = (client: number, report: SettleReport) => {
    // `close()` and `settled()` give the same report to all who wait for it together.
    if (!reports[client]!.includes(report)) reports[client]!.push(report);
  };
  const close = () => {
    closedAt = now();
    for (const life of lives) if (life.client === 0) life.stop('close()');
    clients[0]!.close().subscribe((report) => note(0, report));
  };
  if (closeAt !== undefined)
    scheduler.schedule(() => {
      machines[0]!.whenAwake(close);
    }, closeAt);

  const openAtEnd: { life: Life; view: number }[] = [];
  clients.forEach((client, nth) => {
    const own = () => lives.filter((life) => life.client === nth);
    scheduler.schedule(() => {
      for (const life of own()) {
        life.views.forEach(({ how }, view) => !how && openAtEnd.push({ life, view }));
        for (const subscription of life.subscriptions) subscription.unsubscribe();
      }
    }, ends[nth]);
    // Lets a grace end.
    scheduler.schedule(() => {
      for (const life of own()) life.settle();
      client.settled().subscribe((report) => note(nth, report));
    }, ends[nth]! + 15_000);
  });
  scheduler.maxFrames = Math.max(...ends) + SETTLING;
  scheduler.flush();
  const jobs = emulator.jobs();
  const requests = emulator.requests();
  emulator.close();
  const timers = scheduler.actions.length;
  return { history, wire, lives, jobs, requests, reports, machines, openAtEnd, timers, closedAt, ends };
}

/** Subscribes to a view as the plan says. */
function subscribe(life: Life, act: Act & { do: 'look' }) {
  const { scheduler } = life.machine;
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

/** The caller's own name for a job of the history. */
export const tagOf = (nth: number) => `job ${nth}`;

/** The output of a job without chunks. */
const outputOf = ({ nth, hostile }: Work) => ({
  nth,
  image: `${nth}.png`,
  ...(hostile && { text: hostileText(hostile) }),
});

/** What a worker writes into its error, output, progress and chunks. */
const hostileText = ({ name, size }: NonNullable<Work['hostile']>) => hostileTexts[name](size);

function result({ input }: HandlerJob, { delay, progress }: HandlerContext) {
  const work = input as unknown as Work;
  const { takes, fails, progress: updates, hostile } = work;
  const pause = Math.floor(takes / (updates + 1));
  return concat(
    ...Array.from({ length: updates }, (_, step) =>
      delay(pause).pipe(
        tap(() => progress({ step, ...(hostile && { text: hostileText(hostile), deep: nested(600) }) })),
        ignoreElements(),
      ),
    ),
    delay(pause).pipe(map(() => (fails ? { error: wordsOf(work) } : outputOf(work)))),
  );
}

/** Why a job fails. */
const wordsOf = ({ hostile }: Work) => (hostile ? hostileText(hostile) : 'no luck');

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

/** All chunks differ, also those of a second run; the first is falsy. */
function chunks({ input }: HandlerJob, { delay, attempt }: HandlerContext) {
  const work = input as unknown as Work;
  const { takes, fails, chunks: count, burst, hostile } = work;
  const pause = Math.floor((takes === 100_000_000 ? 30_000 : takes) / (Math.ceil(count / burst) + 1));
  return concat(
    ...Array.from({ length: count }, (_, n) => {
      const number = (attempt - 1) * 100 + n;
      const chunk = hostile ? `${number}: ${hostileText(hostile)}` : number;
      return n % burst ? of(chunk) : delay(pause).pipe(map(() => chunk));
    }),
    delay(takes === 100_000_000 ? takes : pause).pipe(
      map(() => {
        if (fails) throw new Error(wordsOf(work));
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
    ...some(reads, { on: ['status', 'status-sync', 'stream', 'health'] }),
    ...some({ 'dropped-stream': dropped }, {}),
    ...some(cancel, { on: 'cancel' }),
    ...some(others, {}),
    ...some({ 'transient-404': hidden }, { for: lag }),
    ...some({ 'late-progress': reverted }, { after: late.after, ...(late.for !== undefined && { for: late.for }) }),
  ];
}

/** Outages, gateways, answers about other jobs, and unknown statuses. */
function weather({ server }: History, now: () => number, random: () => number) {
  const { outage, faults, gateway } = server;
  const failing = (): Observable<Answer> => {
    const how = outage!.how;
    if (how in pages) return of(pageReply(how as PageName));
    if (how === '502' || how === '429') return of({ status: Number(how), headers: {}, text: '' });
    const phase = how === 'refused' ? 'connect' : 'sent';
    return throwError(() => Object.assign(new Error('outage'), { phase, code: 'ECONNRESET' }));
  };
  const strikes = (probability = 0) => probability > 0 && random() < probability;
  return (request: EmulatorRequest, next: (request: EmulatorRequest) => Observable<Answer>) => {
    const at = now();
    if (outage && at >= outage.from && at < outage.from + outage.for) return failing();
    const operation = /\/v2\/[^/]+\/(run|status|stream|cancel)\b/.exec(request.url)?.[1] as
      'run' | 'status' | 'stream' | 'cancel' | undefined;
    if (gateway && operation && strikes(gateway.pages[operation])) return gatewayAnswer(() => next(request), random);
    const answer$ = next(request);
    if (gateway && operation && operation !== 'run' && strikes(gateway.foreign[operation]))
      return answer$.pipe(map((answer) => aboutAnother(answer, random)));
    if (operation !== 'status' && operation !== 'stream') return answer$;
    if (!strikes(faults?.unknown)) return answer$;
    return answer$.pipe(map((answer) => ({ ...answer, text: strange(answer.text) })));
  };
}

/** A gateway's page. One that refuses has not passed the request on; another may have. */
function gatewayAnswer(passOn: () => Observable<Answer>, random: () => number): Observable<Answer> {
  const names = Object.keys(pages) as PageName[];
  const nth = Math.floor(random() * (names.length + 1));
  const name = names[nth];
  const answer: Answer = name ? pageReply(name) : { status: 502, headers: {}, text: '<html>502</html>' };
  const refused = answer.status >= 400 && answer.status < 500;
  return refused || random() < 0.5 ? of(answer) : passOn().pipe(map(() => answer));
}

/** The answer about another job, which may have ended. */
function aboutAnother(answer: Answer, random: () => number): Answer {
  if (answer.status >= 300 || !/^{.*}$/s.test(answer.text)) return answer;
  const status = ['COMPLETED', 'CANCELLED', undefined][Math.floor(random() * 3)];
  const { text } = foreignReply(answer);
  return { ...answer, text: status ? JSON.stringify({ ...JSON.parse(text), status, output: 'of another job' }) : text };
}

function strange(text: string): string {
  const status = /"status":"(\w+)"/.exec(text)?.[1];
  return status === undefined || isOver(status) ? text : text.replace(`"status":"${status}"`, '"status":"REHEATING"');
}

function chance(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

import { VirtualTimeScheduler, type SchedulerLike } from 'rxjs';
import type { ProxyOptions } from 'runpod-rx/server';
import { SseParser, type SseEvent } from '../../../src/events/SseParser.js';
import { pageRequest, proxied, service, type AskOptions, type Asked } from '../proxy/support.js';

/** Lets so much time pass, and then what promises have begun. */
async function pass(scheduler: VirtualTimeScheduler, ms: number): Promise<void> {
  const end = scheduler.now() + ms;
  scheduler.schedule(() => undefined, ms);
  scheduler.maxFrames = end;
  scheduler.flush();
  await settle();
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Jobs that the test moves on, and what the service was asked. */
function jobs(scheduler: SchedulerLike) {
  let count = 0;
  const states = new Map<string, object>();

  const stateOf = (id: string) => ({ id, status: 'IN_QUEUE', ...states.get(id) });
  const isOver = (id: string) => /COMPLETED|FAILED|CANCELLED/.test(stateOf(id).status);
  const world = service((_, line) => {
    if (line.startsWith('POST /demo/run')) return { json: stateOf(`job-${++count}`) };
    const [, verb, id = ''] = /^\w+ \/demo\/([\w-]+)\/([\w-]+)/.exec(line) ?? [];
    if (verb === 'cancel') states.set(id, { status: 'CANCELLED' });
    if (verb === 'retry') states.set(id, { status: 'IN_QUEUE' });
    if (verb === 'stream') return readChunks(id, world.asked.at(-1) as Asked);
    if (verb === 'status-sync' && !isOver(id)) {
      // It is answered when the job is over, or the time is.
      const wait = Number(new URLSearchParams(line.replace(/.*\?/, '')).get('wait'));
      scheduler.schedule(() => {
        answerHeld(line);
      }, wait);
      return undefined;
    }
    return { json: stateOf(id) };
  });
  /** The chunks that nobody has asked for yet: the service forgets each as it answers. */
  const chunks = new Map<string, unknown[]>();
  /** The reads of streams that are held. */
  const streaming = new Set<Asked>();
  const takeChunks = (id: string) => {
    const stream = (chunks.get(id)?.splice(0) ?? []).map((output) => ({ output }));
    return { json: { status: stateOf(id).status, stream } };
  };
  const answerStream = (id: string, one: Asked) => {
    if (streaming.delete(one) && !one.aborted) one.answer(takeChunks(id));
  };
  const readsOf = (id: string) => [...streaming].filter(({ line }) => line.startsWith(`GET /demo/stream/${id}`));
  /** The jobs whose streams are held although there is something to answer. */
  const stuck = new Set<string>();
  const readChunks = (id: string, one: Asked) => {
    if (stuck.has(id)) return void streaming.add(one);
    if (chunks.get(id)?.length || isOver(id)) return takeChunks(id);
    streaming.add(one);
    const wait = Number(new URL(one.request.url).searchParams.get('wait') ?? 10_000);
    scheduler.schedule(() => {
      answerStream(id, one);
    }, wait);
    return undefined;
  };
  const answerHeld = (line: string) => {
    const held = world.asked.filter((one) => one.line.startsWith(line) && !one.aborted);
    for (const one of held) one.answer({ json: stateOf(/status-sync\/([\w-]+)/.exec(one.line)?.[1] ?? '') });
  };
  return {
    ...world,
    states,

    /** The reads that reached the service. */
    reads: () => world.lines().filter((line) => line.includes('/status')),
    /** A job has a new state; held reads of it are answered where it is over. */
    set(id: string, state: { status: string; output?: unknown; executionTime?: number }) {
      states.set(id, state);
      if (!isOver(id)) return;
      answerHeld(`GET /demo/status-sync/${id}?`);
      for (const one of readsOf(id)) answerStream(id, one);
    },
    /** The service answers the read of a stream, and the answer is lost. */
    losesAnswer(id: string) {
      for (const one of readsOf(id)) {
        streaming.delete(one);
        one.fail(new Error('the connection was cut'));
      }
    },
    /** The service holds the reads of a stream, whatever there is to answer; or does so no more. */
    holds(id: string, isHeld: boolean) {
      if (isHeld) stuck.add(id);
      else if (stuck.delete(id)) for (const one of readsOf(id)) answerStream(id, one);
    },
    /** A job's worker yields. */
    yields(id: string, ...more: unknown[]) {
      chunks.set(id, [...(chunks.get(id) ?? []), ...more]);
      for (const one of readsOf(id)) answerStream(id, one);
    },
  };
}

/** The events of one connection. */
export interface Listening {
  readonly answer: Response;
  readonly events: readonly SseEvent[];
  /** The data of the events about jobs, such as `job-1 IN_QUEUE end`. */
  told(): readonly string[];
  /** The position of the last event. */
  position(): string | undefined;
  readonly ended: Promise<string>;
  leave(): Promise<void>;
}

export async function listen(
  handler: (request: Request) => Promise<Response>,
  { position, ...options }: AskOptions & { readonly position?: string | undefined } = {},
): Promise<Listening> {
  const headers = { ...options.headers, ...(position !== undefined && { 'last-event-id': position }) };
  const answer = await handler(pageRequest('GET events', { ...options, headers }));
  const events: SseEvent[] = [];
  const parser = new SseParser();
  const decoder = new TextDecoder();
  const parts = answer.body?.getReader();
  const read = async (): Promise<string> => {
    for (;;) {
      const { done, value } = (await parts?.read()) ?? { done: true };
      if (done) return 'done';
      events.push(...parser.push(decoder.decode(value, { stream: true })));
    }
  };
  const ended = read().catch((error: unknown) => String(error));
  await settle();
  return {
    answer,
    events,
    told: () => toldBy(events),
    position: () => events.at(-1)?.position,
    ended,
    leave: async () => {
      await parts?.cancel();
      await settle();
    },
  };
}

export function toldBy(events: readonly SseEvent[]): readonly string[] {
  return events
    .filter(({ type }) => type === 'job')
    .map(({ data }) => {
      const { job, follows } = JSON.parse(data) as {
        job: { id: string; status?: string; output?: unknown };
        follows: string;
      };
      const output = job.output === undefined ? '' : ` ${JSON.stringify(job.output)}`;
      return `${job.id} ${job.status ?? '?'}${output} ${follows}`;
    });
}

export const submission = { body: { input: { a: 1 } } };

/** A proxy with events over a service whose jobs the test moves on, on one clock. */
export const made = (options: Partial<Omit<ProxyOptions, 'client'>> = {}) => {
  const scheduler = new VirtualTimeScheduler();
  const service = jobs(scheduler);
  const proxy = proxied(service.transport, {
    events: true,
    scheduler,
    client: { scheduler, random: () => 0.5 },
    ...options,
  });
  return {
    ...service,
    ...proxy,
    scheduler,
    connect: (given?: AskOptions & { position?: string | undefined }) => listen(proxy.handler, given),
    wait: (ms: number) => pass(scheduler, ms),
    timers: () => scheduler.actions.filter(({ closed }) => !closed).length,
  };
};

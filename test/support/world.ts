import { NEVER, Observable, VirtualTimeScheduler, delay, map, of, throwError } from 'rxjs';
import type { Subscription } from 'rxjs';
import { createRunpod } from 'runpod-rx';
import type { Activity, ClientOptions, Endpoint, Reply, Runpod, Transport, TransportRequest } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import type { EmulatedEndpoint, Emulator, EmulatorOptions } from 'runpod-rx/testing';

/** What one subscription received: each value, and when it arrived. */
export interface Seen<T> {
  readonly values: T[];
  readonly at: number[];
  error?: unknown;
  /** When it completed or errored. */
  ended?: number;
  readonly subscription: Subscription;
}

/** A clock that moves when the test says so. */
export interface Clock {
  readonly scheduler: VirtualTimeScheduler;
  /** Subscribes, and records what arrives and when. */
  see<T>(source: Observable<T>): Seen<T>;
  /** Does something at a moment, in milliseconds from the start. */
  at(ms: number, act: () => void): void;
  /** Lets time pass until a moment, in milliseconds from the start, and runs everything that is due. */
  until(ms: number): void;
}

export function clock(): Clock {
  const scheduler = new VirtualTimeScheduler();
  return {
    scheduler,
    see: <T>(source: Observable<T>) => {
      const seen: Omit<Seen<T>, 'subscription'> = { values: [], at: [] };
      const subscription = source.subscribe({
        next: (value) => {
          seen.values.push(value);
          seen.at.push(scheduler.now());
        },
        error: (error: unknown) => Object.assign(seen, { error, ended: scheduler.now() }),
        complete: () => Object.assign(seen, { ended: scheduler.now() }),
      });
      return Object.assign(seen, { subscription });
    },
    at: (ms, act) => {
      scheduler.schedule(act, ms - scheduler.now());
    },
    until: (ms) => {
      scheduler.schedule(() => undefined, ms - scheduler.now());
      scheduler.maxFrames = ms;
      scheduler.flush();
    },
  };
}

/** A client against an emulator, on one clock. */
export interface World extends Clock {
  readonly emulator: Emulator;
  readonly client: Runpod;
  /** `demo`: a job takes `input.ms` milliseconds, and its output echoes the input. */
  readonly endpoint: Endpoint;
  /** What the client has reported so far. */
  readonly activity: Activity[];
  /** The requests that reached the emulator, such as `0-100 run 200`, or `aborted` where the client disconnected. */
  wire(...operations: string[]): string[];
}

/** Takes the middle of every random range, so that a backoff is half of its bound, and a poll's delay has no jitter. */
const middle = () => 0.5;

export const demo: EmulatedEndpoint = {
  handler: ({ input }, { delay: after }) => after(Number(input.ms ?? 0)).pipe(map(() => ({ echo: input }))),
};

export function world(
  { endpoints, ...emulated }: Partial<EmulatorOptions> = {},
  options: Partial<ClientOptions> = {},
): World {
  const time = clock();
  const { scheduler } = time;
  const emulator = createEmulator({ endpoints: { demo, ...endpoints }, seed: 1, ...emulated, scheduler });
  const client = createRunpod({
    transport: emulator.transport,
    scheduler,
    apiKey: 'key',
    random: middle,
    ...options,
  });
  const activity: Activity[] = [];
  client.activity$.subscribe((one) => activity.push(one));
  return {
    ...time,
    emulator,
    client,
    endpoint: client.endpoint('demo'),
    activity,
    wire: (...operations) =>
      emulator
        .requests()
        .filter(({ operation = '' }) => !operations.length || operations.includes(operation))
        .map(({ at, endedAt = '', operation, status, failure, aborted }) =>
          `${at}-${endedAt} ${operation} ${aborted ? 'aborted' : (status ?? failure ?? '')}`.trim(),
        ),
  };
}

/** One request that reached a scripted transport. */
export interface Sent extends TransportRequest {
  readonly at: number;
  aborted?: number;
}

/** An answer: 200 without a body by default, `after` this many milliseconds. */
export interface Given {
  readonly status?: number;
  readonly body?: unknown;
  readonly after?: number;
  readonly headers?: Reply['headers'];
}

/** What a scripted transport does: it answers, fails, or does nothing. */
export type Answer = Given | { readonly phase: 'connect' | 'sent' } | 'never';

export interface Script extends Clock {
  readonly client: Runpod;
  readonly endpoint: Endpoint;
  readonly sent: Sent[];
  readonly activity: Activity[];
}

/** A client over a transport that answers by a script. Only `after` takes time. */
export function script(
  answer: (request: TransportRequest, nth: number) => Answer,
  { multiplexes = true, ...options }: Partial<ClientOptions> & { readonly multiplexes?: boolean | 'unsaid' } = {},
): Script {
  const time = clock();
  const { scheduler } = time;
  const sent: Sent[] = [];
  const transport: Transport = (request) =>
    new Observable<Reply>((subscriber) => {
      const entry: Sent = { ...request, at: scheduler.now() };
      sent.push(entry);
      let over = false;
      subscriber.add(
        replying(answer(request, sent.length), scheduler).subscribe({
          next: (reply) => {
            over = true;
            subscriber.next(reply);
          },
          error: (error: unknown) => {
            over = true;
            subscriber.error(error);
          },
          complete: () => {
            subscriber.complete();
          },
        }),
      );
      return () => {
        if (!over) entry.aborted = scheduler.now();
      };
    });
  if (multiplexes !== 'unsaid') transport.multiplexes = multiplexes;
  const client = createRunpod({ transport, scheduler, apiKey: 'key', random: middle, ...options });
  const activity: Activity[] = [];
  client.activity$.subscribe((one) => activity.push(one));
  return { ...time, client, endpoint: client.endpoint('demo'), sent, activity };
}

function replying(answer: Answer, scheduler: VirtualTimeScheduler): Observable<Reply> {
  if (answer === 'never') return NEVER;
  if ('phase' in answer) return throwError(() => Object.assign(new Error('broken'), answer));
  const { status = 200, body = '', after = 0, headers = {} } = answer;
  const reply$ = of({ status, headers, text: typeof body === 'string' ? body : JSON.stringify(body) });
  return after ? reply$.pipe(delay(after, scheduler)) : reply$;
}

/** The statuses of the snapshots that arrived. */
export const statuses = (seen: Seen<{ readonly status: string }>) => seen.values.map(({ status }) => status);

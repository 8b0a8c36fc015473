import { inspect } from 'node:util';
import axios from 'axios';
import { VirtualTimeScheduler, type Observable } from 'rxjs';
import { expect, onTestFinished } from 'vitest';
import {
  createRunpod,
  runpod,
  type Activity,
  type Endpoint,
  type Runpod,
  type RunpodOptions,
} from '../../src/index.js';
import { fetchTransport } from '../../src/fetch.js';
import { undiciTransport } from '../../src/undici.js';
import { scriptedServer, type Script, type ScriptedServer } from './scriptedServer.js';

/** The API key in the tests. */
export const KEY = 'test-key-placeholder';

type Options = Omit<RunpodOptions, 'axios' | 'allowBrowser'>;

/** Clients that must behave in the same way on the wire. */
export const clients = {
  'axios over undici': (options: Options) => runpod(options),
  undici: (options: Options) => createRunpod({ ...options, transport: undiciTransport() }),
  fetch: (options: Options) => createRunpod({ ...options, transport: fetchTransport() }),
  'own axios, http adapter': (options: Options) => runpod({ ...options, axios: axios.create({ adapter: 'http' }) }),
} as const satisfies Record<string, (options: Options) => Runpod>;

export type ClientName = keyof typeof clients;
export const clientNames = Object.keys(clients) as ClientName[];

/** A clock that moves when the test says so, however long the network takes. */
export class Clock extends VirtualTimeScheduler {
  /** Lets time pass, and runs everything that is due. */
  advance(ms: number): void {
    const until = this.frame + ms;
    this.schedule(() => undefined, ms);
    this.maxFrames = until;
    this.flush();
  }

  /** How many timers run. */
  get timers(): number {
    return this.actions.filter((action) => !action.closed).length;
  }

  /** Lets time pass until the next timer, if there is one. */
  leap(): void {
    const due = this.actions.filter(({ closed }) => !closed).map(({ delay }) => delay);
    if (due.length) this.advance(Math.max(0, Math.min(...due) - this.frame));
  }
}

/** A client and the server to which it speaks. */
export interface Wire {
  readonly server: ScriptedServer;
  readonly client: Runpod;
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly activity: readonly Activity[];
  /** Resolves as soon as the condition is true. It is checked whenever the client or the server does something. */
  until(condition: () => unknown): Promise<void>;
  /** From now on, time leaps to the next timer whenever no request is about to be answered. */
  leaping(): void;
}

/** A client of one kind against a scripted server, in virtual time; both are closed after the test. */
export async function wire(name: ClientName, script: Script, options: Partial<Options> = {}): Promise<Wire> {
  const server = await scriptedServer(script);
  const clock = new Clock();
  const client = clients[name]({
    apiKey: KEY,
    baseUrl: server.baseUrl,
    scheduler: clock,
    random: () => 0.5,
    retry: { base: 1 },
    ...options,
  });
  const activity: Activity[] = [];
  let inFlight = 0;
  let leaping = false;
  let open = true;
  const watchers = new Set<() => void>();
  client.activity$.subscribe((event) => {
    activity.push(event);
    if (event.type === 'request') inFlight++;
    if (event.type === 'reply' || event.type === 'failure' || event.type === 'abort') inFlight--;
    // Later, so that the client has reacted to the event.
    setImmediate(() => {
      for (const watcher of [...watchers]) watcher();
    });
  });
  const tick = (): void => {
    if (!open) return;
    // A request that the server holds needs the clock to go on; any other request is about to be answered.
    if (inFlight === server.waiting) clock.leap();
    setImmediate(tick);
  };
  onTestFinished(async () => {
    open = false;
    await server.close();
  });
  return {
    server,
    client,
    endpoint: client.endpoint('demo'),
    clock,
    activity,
    until: (condition) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!condition()) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        void server.until(condition).then(look);
        look();
      }),
    leaping: () => {
      if (leaping) return;
      leaping = true;
      setImmediate(tick);
    },
  };
}

/** The error of an Observable, which must not emit. */
export function errorOf(source: Observable<unknown>): Promise<Error & Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    source.subscribe({
      next: (value) => reject(new Error(`emitted ${inspect(value)}`)),
      error: resolve as (error: unknown) => void,
      complete: () => reject(new Error('completed')),
    });
  });
}

/** Every text that a log could print for a value. */
export function everyForm(value: unknown): string {
  const forms = [inspect(value, { depth: 20, showHidden: true, getters: true }), inspect(value), String(value)];
  try {
    forms.push(JSON.stringify(value));
  } catch {
    // The value has no JSON, such as one with a cycle.
  }
  for (let at = value, depth = 0; at instanceof Error && depth < 10; at = at.cause, depth++) {
    forms.push(String(at), at.stack ?? '', JSON.stringify(at, Object.getOwnPropertyNames(at)));
  }
  return forms.join('\n');
}

/** Fails where a value shows the key, or the first or last ten characters, which could remain when a text is cut. */
export function expectNoKey(value: unknown, key = KEY): void {
  const text = everyForm(value);
  expect(text).not.toContain(key.slice(0, 10));
  expect(text).not.toContain(key.slice(-10));
}

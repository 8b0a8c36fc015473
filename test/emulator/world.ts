import { VirtualTimeScheduler } from 'rxjs';
import type { Subscription } from 'rxjs';
import { createEmulator } from 'runpod-rx/testing';
import type { Emulator, EmulatorOptions } from 'runpod-rx/testing';

/** One request and its outcome. */
export interface Seen {
  /** When the answer or the error came. */
  at?: number;
  status?: number;
  headers?: Readonly<Record<string, string>>;
  text?: string;
  error?: { readonly phase?: string; readonly code?: string };
  readonly subscription: Subscription;
}

/** An emulator on a virtual clock that the test moves. */
export interface World {
  readonly emulator: Emulator;
  readonly scheduler: VirtualTimeScheduler;
  /** Sends a request now. Unless it is held or delayed, its answer is there when `send` returns. */
  send(method: 'GET' | 'POST', path: string, body?: unknown, headers?: Record<string, string>): Seen;
  /** Sends a request that is answered at once, and returns the parsed body. */
  ask(method: 'GET' | 'POST', path: string, body?: unknown): Record<string, unknown>;
  /** Submits `{ input }` to `demo` and returns the job's id. */
  submit(input?: object, more?: object): string;
  /** Moves the clock to `ms` milliseconds from the start, and runs everything that is due by then. */
  until(ms: number): void;
}

export function world(options: EmulatorOptions): World {
  const scheduler = new VirtualTimeScheduler();
  const emulator = createEmulator({ seed: 1, ...options, scheduler });
  const send: World['send'] = (method, path, body, headers = {}) => {
    const url = `https://api.runpod.ai/v2/${path}`;
    const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const request = { method, url, headers, timeout: 1e6, operation: 'x', ...(text !== undefined && { body: text }) };
    const seen: Partial<Seen> = {};
    const subscription = emulator.transport(request).subscribe({
      next: (reply) => Object.assign(seen, reply, { at: scheduler.now() }),
      error: (error: unknown) => Object.assign(seen, { error, at: scheduler.now() }),
    });
    return Object.assign(seen, { subscription });
  };
  const ask: World['ask'] = (...request) => JSON.parse(send(...request).text ?? 'null');
  return {
    emulator,
    scheduler,
    send,
    ask,
    submit: (input = { x: 1 }, more = {}) => String(ask('POST', 'demo/run', { input, ...more }).id),
    until: (ms) => {
      scheduler.schedule(() => undefined, ms - scheduler.now());
      scheduler.maxFrames = ms;
      scheduler.flush();
    },
  };
}

export const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

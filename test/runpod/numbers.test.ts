import { EMPTY, NEVER, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  createRunpod,
  failover,
  hedge,
  pollHealth,
  pollStatus,
  retryJob,
  runAll,
  runEach,
  streamChunks,
} from 'runpod-rx';
import type { Endpoint, Transport } from 'runpod-rx';
import { life } from '../fixtures/snapshots.js';
import { script } from '../support/world.js';

const transport: Transport = () => EMPTY;
const runner = () => NEVER as never;
const read = () => NEVER as never;
const status = () => of(life.c);
const retrier = { retry: read, watch: read };
const request = { input: { x: 1 } };

/** No count and no duration, whatever the bounds. */
const wrong = [NaN, -1, '5', true, null];

/** Options with one value, at a path such as `retry.base`. */
function optionsWith(path: string, value: unknown): object {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as object;
}

/** A row for each path of each name. */
function rowsOf<T>(table: readonly (readonly [string, T, string])[]): [name: string, path: string, call: T][] {
  return table.flatMap(([name, call, paths]) =>
    paths.split(' ').map((path): [string, string, T] => [name, path, call]),
  );
}

/** Refused, too: nothing would ever be sent with it. */
const zero = new Set(['retry.attempts', 'maxResponseBytes', 'concurrency', 'limits.share']);
for (const name of ['requests', 'per', 'concurrent']) zero.add(`limits.run.${name}`);

const functions = rowsOf<(options: never) => unknown>([
  [
    'createRunpod',
    (options: object) => createRunpod({ transport, ...options }),
    'requestTimeout maxResponseBytes retry.attempts retry.base retry.max retry.maxRetryAfter limits.share ' +
      'limits.run.requests limits.run.per limits.run.concurrent limits.run.perWorker',
  ],
  ['runAll', (options) => runAll(runner, [], options), 'concurrency retry retry.count retry.delay'],
  ['runEach', (options) => runEach(runner, options), 'concurrency buffer retry'],
  ['hedge', (options) => hedge(runner, options), 'after'],
  ['failover', (options) => failover([runner], options), 'queue'],
  ['retryJob', (options) => retryJob(retrier, options), 'count delay lag'],
  ['pollStatus', (options) => pollStatus(read, options), 'every outage'],
  ['pollHealth', (options) => pollHealth(read, options), 'every outage'],
  ['streamChunks', (options: object) => streamChunks(read, { status, ...options }), 'outage pause'],
]);

const calls = rowsOf<(endpoint: Endpoint, options: never) => { subscribe(observer: object): unknown }>([
  ['run', (endpoint, options) => endpoint.run(request, options), 'timeout'],
  ['runSync', (endpoint, options) => endpoint.runSync(request, options), 'timeout wait every longPoll outage'],
  ['runToEnd', (endpoint, options) => endpoint.runToEnd(request, options), 'timeout every longPoll outage'],
  ['status', (endpoint, options) => endpoint.status('a', options), 'timeout'],
  ['watch', (endpoint, options) => endpoint.watch('a', options), 'timeout every longPoll outage'],
  ['stream', (endpoint, options) => endpoint.stream('a', options), 'timeout wait outage'],
  ['watchHealth', (endpoint, options) => endpoint.watchHealth(options), 'timeout every outage'],
  [
    'job',
    (endpoint, options) => endpoint.job(request, options).output$,
    'every longPoll outage grace timeout timeout.queue timeout.execution timeout.total settle replayChunks',
  ],
  ['policy', (endpoint, policy) => endpoint.run({ ...request, policy }), 'executionTimeout ttl'],
]);

describe('S20 an option that is a count or a duration', () => {
  it.each(functions)('of %s: %s must be one', (_, path, call) => {
    for (const value of zero.has(path) ? [...wrong, 0] : wrong)
      expect(() => call(optionsWith(path, value) as never), String(value)).toThrow(`${path} is`);
  });

  it.each(calls)('of %s: %s must be one, and nothing is sent', (_, path, call) => {
    const { endpoint, sent, see, until } = script(() => 'never');
    for (const value of wrong) {
      const seen = see(call(endpoint, optionsWith(path, value) as never) as never);
      until(1);
      expect(seen.error).toMatchObject({ code: 'validation', message: expect.stringContaining(path) as string });
    }
    expect(sent).toEqual([]);
  });
});

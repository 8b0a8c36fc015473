import { Logger, type MessageEvent } from '@nestjs/common';
import { NEVER } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { JobOptions } from 'runpod-rx';
import { toSse, type SseOptions } from 'runpod-rx/nestjs';
import { world, type World } from '../support/world.js';

Logger.overrideLogger(false);

/** The events of a stream, such as `1000 state IN_QUEUE`. */
function lines({ values, at }: { values: readonly MessageEvent[]; at: readonly number[] }): readonly string[] {
  return values.map(({ type, data }, nth) => {
    const told = data ? (JSON.parse(data as string) as { status?: string; code?: string } | null) : undefined;
    return `${Math.round(at[nth]!)} ${type} ${told?.status ?? told?.code ?? (data as string)}`.trim();
  });
}

function open(
  made: World,
  options: SseOptions = {},
  input: Record<string, unknown> = { ms: 20_000 },
  job: JobOptions = {},
) {
  const stream = made.see(toSse(made.endpoint.job({ input }, job), { scheduler: made.scheduler, ...options }));
  return { ...stream, lines: () => lines(stream), stream };
}

const quiet = { heartbeat: Infinity };
const ledger = ({ emulator }: World) => emulator.jobs().map(({ status }) => status);

test('the states, and then the output', () => {
  const made = world();
  const { lines: told, stream } = open(made, quiet);
  made.until(100_000);
  expect(told().map((line) => line.replace(/^\d+ /, ''))).toEqual([
    'state IN_QUEUE',
    'state IN_PROGRESS',
    'state COMPLETED',
    'end COMPLETED',
  ]);
  expect(JSON.parse(stream.values.at(-1)!.data as string)).toEqual({
    id: made.emulator.jobs()[0]!.id,
    status: 'COMPLETED',
    output: { echo: { ms: 20_000 } },
  });
  expect(stream.ended).toBeLessThan(30_000);
});

test('only the last event keeps an EventSource from coming again', () => {
  const made = world();
  const { stream } = open(made, quiet);
  made.until(100_000);
  expect(stream.values.map(({ retry }) => retry)).toEqual([undefined, undefined, undefined, 2_147_483_647]);
});

test('nothing of the answer of the service is told but what is listed', () => {
  const made = world();
  const { stream } = open(made, quiet);
  made.until(100_000);
  const told = stream.values.map(({ data }) => Object.keys(JSON.parse(data as string) as object));
  expect([...new Set(told.flat())].sort()).toEqual(['delayTime', 'executionTime', 'id', 'output', 'status']);
});

test('progress and chunks, also falsy ones, and an output that no JSON has', () => {
  const made = world({
    endpoints: {
      demo: {
        handler: function* (_, { progress }) {
          progress(0);
          yield* ['', 0, false, null];
        },
      },
    },
  });
  const { stream } = open(made, quiet, { a: 1 }, { stream: true });
  made.until(100_000);
  const told = stream.values.filter(({ type }) => type === 'chunk').map(({ data }) => data);
  expect(told).toEqual(['""', '0', 'false', 'null']);
  expect(stream.values.at(-1)).toMatchObject({ type: 'end' });
});

test('a data that JSON cannot carry ends the stream with an error', () => {
  const made = world();
  const endpoint = made.client.endpoint('demo', { parse: (text) => ({ ...(JSON.parse(text) as object), output: 1n }) });
  const stream = made.see(toSse(endpoint.job({ input: { ms: 100 } }), { ...quiet, scheduler: made.scheduler }));
  made.until(100_000);
  expect(lines(stream).at(-1)).toContain('error internal');
  expect(stream.error).toBeUndefined();
});

describe('pings', () => {
  test('begin with the connection, and anew with each event', () => {
    const made = world({ faults: [{ fault: 'slow-answer', after: 25_000, on: 'run' }] });
    const { lines: told } = open(made, { heartbeat: 10_000 }, { ms: 60_000 });
    made.until(70_000);
    expect(told().slice(0, 5)).toEqual([
      '10000 ping',
      '20000 ping',
      '25000 state IN_QUEUE',
      expect.stringMatching(/^25\d\d\d state IN_PROGRESS$/),
      expect.stringMatching(/^35\d\d\d ping$/),
    ]);
  });

  test('are every 15 s by default, and end with the stream', () => {
    const made = world();
    const { lines: told, stream } = open(made, {}, { ms: 40_000 });
    made.until(1_000_000);
    expect(told().filter((line) => line.endsWith('ping'))).toHaveLength(2);
    expect(stream.ended).toBeLessThan(60_000);
    expect(made.scheduler.actions.filter(({ closed }) => !closed)).toEqual([]);
  });
});

describe('an error is the last event', () => {
  test('of a job that failed', () => {
    const made = world({ endpoints: { demo: { handler: () => ({ error: 'no memory' }) } } });
    const { lines: told, stream } = open(made, quiet);
    made.until(100_000);
    expect(told().at(-1)).toContain('error job_failed');
    expect([stream.error, stream.ended]).toEqual([undefined, expect.any(Number)]);
    expect(JSON.stringify(stream.values)).not.toContain('no memory');
  });

  test('of a submission that was refused, or that may have been accepted', () => {
    const refused = world({ keys: ['another'] });
    const first = open(refused, quiet);
    refused.until(100_000);
    expect(JSON.parse(first.stream.values[0]!.data as string)).toMatchObject({
      code: 'authentication',
      accepted: 'no',
    });
    const lost = world({ faults: [{ fault: 'reset-after', on: 'run' }] });
    const second = open(lost, quiet);
    lost.until(100_000);
    const told = { code: 'submission_unknown', accepted: 'unknown' };
    expect(JSON.parse(second.stream.values[0]!.data as string)).toMatchObject(told);
  });

  test('of the client’s closing, which is no disconnect: the job’s own policy counts', () => {
    for (const [onUnsubscribe, status] of [
      ['cancel', 'CANCELLED'],
      ['detach', 'IN_PROGRESS'],
    ] as const) {
      const made = world();
      const { lines: told } = open(made, { ...quiet, onDisconnect: 'cancel' }, { ms: 500_000 }, { onUnsubscribe });
      made.until(10_000);
      made.see(made.client.close());
      made.until(20_000);
      expect(told().at(-1)).toBe('10000 error client_closed');
      expect(ledger(made)).toEqual([status]);
    }
  });
});

describe('a client that leaves', () => {
  test.each([
    [undefined, {}, 'CANCELLED'],
    [undefined, { onUnsubscribe: 'detach' }, 'IN_PROGRESS'],
    ['cancel', { onUnsubscribe: 'detach' }, 'CANCELLED'],
    ['detach', {}, 'IN_PROGRESS'],
  ] as const)('onDisconnect %s, job %j: %s', (onDisconnect, job, status) => {
    const made = world();
    const { stream } = open(made, { ...quiet, ...(onDisconnect && { onDisconnect }) }, { ms: 500_000 }, job);
    made.until(10_000);
    stream.subscription.unsubscribe();
    made.until(20_000);
    expect(ledger(made)).toEqual([status]);
  });

  test.each([
    ['cancel', 'CANCELLED'],
    ['detach', 'IN_PROGRESS'],
  ] as const)('before the job has an id: %s', (onDisconnect, status) => {
    const made = world({ faults: [{ fault: 'slow-answer', after: 5_000, on: 'run' }] });
    const { stream } = open(made, { ...quiet, onDisconnect }, { ms: 500_000 });
    made.until(2_000);
    stream.subscription.unsubscribe();
    made.until(20_000);
    expect(ledger(made)).toEqual([status]);
  });

  test('after the end changes nothing', () => {
    const made = world();
    const { stream } = open(made, { ...quiet, onDisconnect: 'cancel' });
    made.until(100_000);
    stream.subscription.unsubscribe();
    made.until(200_000);
    expect(ledger(made)).toEqual(['COMPLETED']);
    expect(made.wire('cancel')).toEqual([]);
  });
});

test('a heartbeat that never fires', () => {
  const made = world({ endpoints: { demo: { handler: () => NEVER } } });
  const { lines: told } = open(made, quiet);
  made.until(1_000_000);
  expect(told().filter((line) => line.includes('ping'))).toEqual([]);
});

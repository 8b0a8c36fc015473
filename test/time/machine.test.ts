import { VirtualTimeScheduler, timer } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { createRunpod, type JobRef, type Runpod } from 'runpod-rx';
import { createEmulator, type Emulator, type EmulatorOptions } from 'runpod-rx/testing';
import { Machine } from '../support/Machine.js';
import { demo } from '../support/world.js';

const HOUR = 3_600_000;

/** A client on a machine of its own, against an emulator, in one virtual time. */
function worldWith(options: Partial<EmulatorOptions> = {}, wallOffset = 0) {
  const world = new VirtualTimeScheduler();
  const machine = new Machine(world, wallOffset);
  const endpoints = { demo: { ...demo, executionTimeout: 86_400_000 } };
  const emulator: Emulator = createEmulator({ endpoints, ...options, scheduler: world });
  const newClient = (): Runpod =>
    createRunpod({
      transport: machine.transport(emulator.transport),
      scheduler: machine.scheduler,
      apiKey: 'key',
      random: () => 0.5,
    });
  const client = newClient();
  /** The endpoint for a client that knows nothing of the jobs. */
  const another = () => newClient().endpoint('demo');
  const until = (ms: number) => {
    world.schedule(() => undefined, ms - world.now());
    world.maxFrames = ms;
    world.flush();
  };
  const count = (operation: string) => emulator.requests().filter((one) => one.operation === operation).length;
  return { world, machine, emulator, client, endpoint: client.endpoint('demo'), another, until, count };
}

describe('a machine', () => {
  test('that sleeps fires no timer, and fires those that are overdue in their order when it wakes', () => {
    const { world, machine, until } = worldWith();
    const fired: [number, number][] = [];
    for (const ms of [3_000, 1_000, 6_000]) timer(ms, machine.scheduler).subscribe(() => fired.push([ms, world.now()]));
    machine.sleep(5_000);
    until(10_000);
    expect(fired).toEqual([
      [1_000, 5_000],
      [3_000, 5_000],
      [6_000, 6_000],
    ]);
  });

  test('that sleeps knows when a timer fires, and does nothing until it is awake', () => {
    const { world, machine, until } = worldWith();
    const done: number[] = [];
    machine.whenAwake(() => done.push(world.now()));
    machine.sleep(5_000);
    machine.whenAwake(() => done.push(world.now()));
    until(2_000);
    machine.sleep(6_000);
    expect([1_000, 4_999, 7_999, 8_000, 9_000].map((due) => machine.firesAt(due))).toEqual([
      8_000, 8_000, 8_000, 8_000, 9_000,
    ]);
    until(10_000);
    expect(done).toEqual([0, 8_000]);
  });

  test('that sleeps gets answers after the timers that are overdue', () => {
    const { machine, endpoint, until } = worldWith({ latency: 1_000 });
    const order: string[] = [];
    endpoint.health().subscribe(() => order.push('answer'));
    timer(2_000, machine.scheduler).subscribe(() => order.push('timer'));
    machine.sleep(5_000);
    until(10_000);
    expect(order).toEqual(['timer', 'answer']);
  });
});

describe.each([
  ['back', -HOUR],
  ['forward', HOUR],
])('S9 a wall clock that is set %s by an hour', (_, by) => {
  test('delays no read, and cancels nothing at a deadline', () => {
    const { machine, emulator, endpoint, until, count } = worldWith();
    const job = endpoint.job({ input: { ms: 60_000 } }, { timeout: 120_000, longPoll: false });
    let output: unknown;
    job.output$.subscribe((value) => (output = value));
    until(10_000);
    machine.step(by);
    const before = count('status');
    until(30_000);
    expect(count('status')).toBeGreaterThanOrEqual(before + 4);
    until(70_000);
    expect(output).toEqual({ echo: { ms: 60_000 } });
    expect(count('cancel')).toBe(0);
    expect(emulator.jobs()).toMatchObject([{ end: 'completed' }]);
  });

  test('does not change when a deadline passes', () => {
    const { world, machine, endpoint, until } = worldWith();
    let ended: number | undefined;
    endpoint
      .job({ input: { ms: HOUR } }, { timeout: 60_000 })
      .output$.subscribe({ error: () => (ended = world.now()) });
    until(10_000);
    machine.step(by);
    until(HOUR);
    expect(ended).toBe(60_000);
  });

  test('does not change the pause after a 429', () => {
    const { machine, emulator, endpoint, until } = worldWith({
      limits: { run: { requests: 1, per: 5_000 } },
      retryAfter: true,
    });
    let submitted = 0;
    for (let nth = 0; nth < 3; nth++) endpoint.run({ input: { nth } }).subscribe(() => submitted++);
    until(100);
    machine.step(by);
    until(120_000);
    expect(submitted).toBe(3);
    expect(emulator.jobs()).toHaveLength(3);
  });

  test('does not change what a reference made before says: total counts from the submission', () => {
    const { world, machine, client, endpoint, until, count } = worldWith();
    const job = endpoint.job({ input: { ms: 50_000 } });
    let ref: JobRef | undefined;
    job.state$.subscribe();
    until(5_000);
    job.detach().subscribe((given) => (ref = given));
    machine.step(by);
    let ended: number | undefined;
    client
      .endpoint('demo')
      .attach(ref!, { timeout: 60_000 })
      .output$.subscribe(() => (ended = world.now()));
    until(120_000);
    expect(ended).toBeLessThan(60_000);
    expect(count('cancel')).toBe(0);
  });
});

describe('S18 a reference from a clock that is ahead', () => {
  test('does not prolong the lag: the job that is gone is told after ten seconds', () => {
    const { world, machine, endpoint, until, count } = worldWith();
    const ref: JobRef = { v: 1, endpointId: 'demo', id: 'gone', submittedAt: machine.wallNow() };
    let told: unknown;
    endpoint.attach(machine.skewed(ref, HOUR)).state$.subscribe({
      error: ({ code }: { code: string }) => (told = [code, world.now()]),
    });
    until(60_000);
    expect(told).toEqual(['job_not_found', 10_000]);
    expect(count('status')).toBe(21);
  });

  test('has total count from when the client attached, and slows no poll', () => {
    const { world, machine, endpoint, another, until, count } = worldWith();
    let id = '';
    endpoint.run({ input: { ms: HOUR } }).subscribe((snapshot) => (id = snapshot.id));
    until(1_000);
    const ref: JobRef = { v: 1, endpointId: 'demo', id, submittedAt: machine.wallNow() };
    let ended: number | undefined;
    another()
      .attach(machine.skewed(ref, HOUR), { timeout: 30_000 })
      .state$.subscribe({ error: () => (ended = world.now()) });
    until(25_000);
    expect(count('status')).toBeGreaterThan(15);
    until(120_000);
    expect(ended).toBe(31_000);
  });

  test('that this client made itself stands in its references, by its own wall clock', () => {
    const { machine, endpoint, until } = worldWith({}, HOUR);
    until(2_000);
    const job = endpoint.job({ input: { ms: 5 } }, { onUnsubscribe: 'detach' });
    let ref: JobRef | undefined;
    job.id$.subscribe();
    until(3_000);
    job.detach().subscribe((given) => (ref = given));
    expect(ref?.submittedAt).toBe(machine.wallNow() - 1_000);
  });
});

describe('S18 the ten seconds after a submission', () => {
  test('are no dates: a job that is gone is told after them', () => {
    const { world, emulator, endpoint, until } = worldWith();
    let id = '';
    endpoint.run({ input: { ms: HOUR } }).subscribe((snapshot) => (id = snapshot.id));
    until(0);
    emulator.inject({ fault: 'answer', on: 'status', status: 404, body: { error: 'job not found' } });
    let told: unknown;
    endpoint.status(id).subscribe({ error: ({ code }: { code: string }) => (told = [code, world.now()]) });
    until(60_000);
    expect(told).toEqual(['job_expired', 10_000]);
  });
});

describe('S2 a machine that slept', () => {
  test('reads on after one failed read, however long it slept', () => {
    const { world, machine, endpoint, until, emulator } = worldWith();
    let id = '';
    endpoint.run({ input: { ms: 5 * HOUR } }).subscribe((snapshot) => (id = snapshot.id));
    until(0);
    let error: unknown;
    const seen: string[] = [];
    endpoint
      .watch(id)
      .subscribe({ next: ({ status }) => seen.push(status), error: (given: unknown) => (error = given) });
    until(60_000);
    machine.sleep(4 * HOUR);
    // The network is not back yet when the machine wakes.
    world.schedule(() => {
      const restore = emulator.inject({ fault: 'connection-refused', on: 'status' });
      world.schedule(restore, 20_000);
    }, 4 * HOUR);
    until(4 * HOUR + 50_000);
    expect(error).toBeUndefined();
    until(6 * HOUR);
    expect(error).toBeUndefined();
    expect(seen.at(-1)).toBe('COMPLETED');
  });
});

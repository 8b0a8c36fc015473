import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { concatMap, defer, filter, firstValueFrom, from, map, of, timer } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRunpod, runpod } from 'runpod-rx';
import { startEmulator } from 'runpod-rx/emulator';
import { createWebhooks } from 'runpod-rx/server';
import type { EmulatorOptions, WebhookSender } from 'runpod-rx/testing';
import { world } from '../../support/world.js';
import { ended, secret } from './support.js';

const request = { input: { ms: 10_000 } };

/** A client, its webhooks, and an emulator that posts to them, on one clock. */
function posting(options: Partial<EmulatorOptions> = {}) {
  const posts: Promise<unknown>[] = [];
  const post = async (url: string, body: string) => {
    const { status } = await webhooks.handle(new Request(url, { method: 'POST', body }));
    return status;
  };
  const send: WebhookSender = ({ url, body }) => {
    const answer = post(url, body);
    posts.push(answer);
    return from(answer);
  };
  const made = world({ webhooks: { send }, ...options }, { notices: defer(() => webhooks.notices) });
  const webhooks = createWebhooks({ url: 'http://localhost/hook?x=1', secret, scheduler: made.scheduler });
  /** Lets time pass in steps, and what is posted be answered. */
  const pass = async (ms: number, step = 100) => {
    for (const end = made.scheduler.now() + ms; made.scheduler.now() < end;) {
      made.until(Math.min(end, made.scheduler.now() + step));
      for (; posts.length;) await posts.shift();
    }
  };
  const sign = (key: string) => ({ beforeSubmit: (given: typeof request) => of(webhooks.sign(given, key)) });
  const urlOf = (key: string) => webhooks.sign(request, key).webhook!;
  /** Somebody else posts. */
  const forge = async (url: string, job: unknown) => post(url, JSON.stringify(job));
  const reads = () => made.wire('status', 'status-sync');
  return { ...made, webhooks, pass, sign, urlOf, forge, reads, resolved: made.see(webhooks.resolved$).values };
}

const slow = { every: 1_000_000 };

describe('S26 with a client and its webhooks', () => {
  test('an end is told as its webhook comes, without a read, and the input is not kept', async () => {
    const { endpoint, see, pass, sign, reads, resolved } = posting();
    const job = endpoint.job(request, { ...sign('order-1'), ...slow });
    const [output, state] = [see(job.output$), see(job.state$)];
    await pass(9_900);
    const before = reads().length;
    await pass(400);
    expect(output.values).toEqual([{ echo: request.input }]);
    expect(state.values.at(-1)).toMatchObject({ status: 'COMPLETED' });
    expect(Object.keys(state.values.at(-1)?.raw as object)).not.toContain('webhook');
    expect(reads()).toHaveLength(before);
    expect(resolved).toEqual([{ key: 'order-1', id: expect.any(String) }]);
  });

  test('a webhook that comes before the answer ends the job when the answer comes', async () => {
    const faults = { 'slow-answer': { after: 20_000, on: 'run' } } as const;
    const { endpoint, see, pass, sign, reads } = posting({ faults });
    // Another job is watched meanwhile, so that the client listens.
    see(endpoint.watch('other', slow));
    const output = see(endpoint.job(request, { ...sign('order-1'), ...slow }).output$);
    await pass(19_000);
    expect(output.values).toEqual([]);
    const before = reads().length;
    await pass(2_000);
    expect(output.values).toEqual([{ echo: request.input }]);
    expect(reads()).toHaveLength(before);
  });

  test.each([true, false])('also where the client does not listen meanwhile (%s)', async (alone) => {
    const faults = { 'slow-answer': { after: 20_000, on: 'run' } } as const;
    const { endpoint, see, pass, sign, reads } = posting({ faults });
    if (!alone) see(endpoint.run(request));
    const output = see(endpoint.job(request, { ...sign('order-1'), ...slow }).output$);
    await pass(21_000);
    expect(output.values).toEqual([{ echo: request.input }]);
    expect(reads()).toEqual([]);
  });

  test('the job of a submission whose answer was lost is resolved, followed, and submitted once', async () => {
    const faults = { 'reset-after': { on: 'run' } } as const;
    const { endpoint, see, pass, sign, resolved, emulator, webhooks } = posting({ faults });
    const lost = see(endpoint.job(request, sign('order-1')).output$);
    await pass(1_000);
    expect(lost.error).toMatchObject({ code: 'submission_unknown' });
    const attached$ = webhooks.resolved$.pipe(
      filter(({ key }) => key === 'order-1'),
      concatMap(({ id }) => endpoint.attach(id).output$),
    );
    const output = see(attached$);
    await pass(10_000);
    expect(emulator.jobs()).toHaveLength(1);
    expect(resolved).toEqual([{ key: 'order-1', id: emulator.jobs()[0]!.id }]);
    expect(output.values).toEqual([{ echo: request.input }]);
  });

  test('an end of a job that was told by submitted needs no read', async () => {
    const { endpoint, see, pass, webhooks, emulator, reads, scheduler } = posting();
    see(endpoint.run(webhooks.sign(request, 'order-1')));
    await pass(100);
    const { id } = emulator.jobs()[0]!;
    const other = createRunpod({
      transport: emulator.transport,
      scheduler,
      apiKey: 'key',
      // This client has not submitted the job.
      notices: webhooks.notices,
    });
    webhooks.submitted('order-1', id);
    const output = see(other.endpoint('demo').attach(id, slow).output$);
    await pass(9_000);
    const before = reads().length;
    await pass(2_000);
    expect(output.values).toEqual([{ echo: request.input }]);
    expect(reads()).toHaveLength(before);
  });

  test('forged posts deliver nothing, suppress no cancel, and hurry a read at most', async () => {
    const { endpoint, see, pass, sign, urlOf, forge, emulator, reads } = posting();
    const jobs = ['a', 'b'].map((key) => endpoint.job({ input: { ms: 100_000 } }, { ...sign(key), ...slow }));
    const outputs = jobs.map((job) => see(job.output$));
    await pass(2_000);
    const [a, b] = emulator.jobs().map(({ id }) => id) as [string, string];
    const before = reads().length;
    const forged = [
      [urlOf('b').replace(/&token=.*/, ''), b],
      [urlOf('b').replace(/token=.*/, `token=${'A'.repeat(43)}`), b],
      [urlOf('a').replace('key=a', 'key=b'), b],
      [urlOf('a'), b],
      [urlOf('a'), b],
      [urlOf('c'), b],
      [urlOf('b'), a],
    ] as const;
    for (const [url, id] of forged) await forge(url, ended(id, { output: 'forged' }));
    await pass(5_000);
    expect(outputs.map(({ values, ended: at }) => [values, at])).toEqual([
      [[], undefined],
      [[], undefined],
    ]);
    expect(reads().length - before).toBeLessThanOrEqual(4);
    for (const { subscription } of outputs) subscription.unsubscribe();
    await pass(5_000);
    expect(emulator.jobs().map(({ status }) => status)).toEqual(['CANCELLED', 'CANCELLED']);
  });

  test('forged posts before the answer to the submission deliver and suppress nothing', async () => {
    const faults = { 'slow-answer': { after: 5_000, on: 'run' } } as const;
    const { endpoint, see, pass, sign, urlOf, forge, emulator } = posting({ faults });
    see(endpoint.watch('other', slow));
    const output = see(endpoint.job({ input: { ms: 30_000 } }, sign('b')).output$);
    await pass(1_000);
    const { id } = emulator.jobs()[0]!;
    await forge(urlOf('a'), ended(id, { output: 'forged' }));
    await pass(10_000);
    expect(output.values).toEqual([]);
    await pass(60_000);
    expect(output.values).toEqual([{ echo: { ms: 30_000 } }]);
  });

  test('under a hint each 200 ms, an end is seen within 5 s', async () => {
    const { endpoint, see, pass, urlOf, forge, emulator } = posting();
    const output = see(endpoint.job({ input: { ms: 20_000 } }).output$);
    await pass(1_000);
    const { id } = emulator.jobs()[0]!;
    for (let at = 1_000; at < 30_000; at += 200) {
      await forge(urlOf('a'), { id, status: 'IN_PROGRESS' });
      await pass(200);
    }
    expect(output.values).toEqual([{ echo: { ms: 20_000 } }]);
    expect(output.ended! - emulator.jobs()[0]!.endedAt!).toBeLessThan(5_000);
  });

  test('no error and no activity shows a token', async () => {
    const { endpoint, see, pass, webhooks, activity, emulator } = posting({
      endpoints: { demo: { handler: () => ({ error: 'it broke' }) } },
    });
    const signed = webhooks.sign(request, 'order-1');
    const token = new URL(signed.webhook!).searchParams.get('token')!;
    const seen = see(endpoint.job(signed, slow).output$);
    await pass(1_000);
    expect(seen.error).toMatchObject({ code: 'job_failed' });
    expect(inspect([seen.error, activity], { depth: 20 })).not.toContain(token);
    expect(inspect(emulator.requests(), { depth: 20 })).toContain('run');
  });
});

/** The handler as a server of Node, as its adapters make one. */
async function served(make: (url: string) => ReturnType<typeof createWebhooks>) {
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const body = Buffer.concat(parts);
      void webhooks
        .handle(new Request(`http://localhost${incoming.url}`, { method: 'POST', body }))
        .then(async (response) => outgoing.writeHead(response.status).end(await response.text()));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const webhooks = make(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`);
  return webhooks;
}

test('over HTTP, an end is told by its webhook, which the service posts twice', async () => {
  const webhooks = await served((url) => createWebhooks({ url, secret }));
  const emulator = await startEmulator({
    endpoints: { demo: { handler: ({ input }) => timer(50).pipe(map(() => ({ echo: input }))) } },
    faults: { 'duplicate-webhook': 1 },
  });
  onTestFinished(() => emulator.close());
  const client = runpod({ baseUrl: emulator.baseUrl, apiKey: 'key', notices: webhooks.notices });
  const resolved = firstValueFrom(webhooks.resolved$);
  const job = client.endpoint('demo').job(
    { input: { text: 'größer' } },
    // Nothing but the webhook tells of the end: the next read would come after an hour.
    { every: 3_600_000, beforeSubmit: (request) => of(webhooks.sign(request, 'order-1')) },
  );
  expect(await firstValueFrom(job.output$)).toEqual({ echo: { text: 'größer' } });
  expect(await resolved).toEqual({ key: 'order-1', id: emulator.jobs()[0]?.id });
  await expect.poll(() => emulator.jobs()[0]?.webhook?.map(({ status }) => status)).toEqual([200, 200]);
});

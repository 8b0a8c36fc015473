import { NEVER, Observable, Subject, map, of, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { EmulatorOptions, WebhookOptions, WebhookRequest } from 'runpod-rx/testing';
import { world, type World } from './world.js';

interface Posted extends WebhookRequest {
  readonly at: number;
}

interface Hooked extends World {
  readonly posted: Posted[];
}

const webhook = 'http://127.0.0.1:9000/hook?token=t';

/** A world whose webhooks are answered with the given answers in turn; the last answer repeats. */
function hooked(
  answers: readonly Observable<number>[] = [of(200)],
  options: Partial<EmulatorOptions> = {},
  webhooks: WebhookOptions = {},
): Hooked {
  const posted: Posted[] = [];
  const w: World = world({
    endpoints: {
      demo: { handler: ({ input }, { delay }) => delay(1_000).pipe(map(() => input.give ?? { echo: input })) },
    },
    ...options,
    webhooks: {
      send: (request) => {
        posted.push({ at: w.scheduler.now(), ...request });
        return answers[Math.min(posted.length, answers.length) - 1]!;
      },
      ...webhooks,
    },
  });
  return { ...w, posted };
}

const attempts = (w: World) => w.emulator.jobs()[0]?.webhook;

describe('a webhook', () => {
  test('holds an ended job in the form of the service', () => {
    const w = hooked();
    const id = w.submit({ x: 1 }, { webhook });
    w.until(60_000);
    expect(w.posted).toEqual([
      {
        at: 1_000,
        url: webhook,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Go-http-client/2.0',
          traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
        },
        body: `{"delayTime":0,"executionTime":1000,"id":"${id}","input":{"x":1},"output":{"echo":{"x":1}},"status":"COMPLETED","webhook":"${webhook}"}`,
      },
    ]);
    expect(attempts(w)).toEqual([{ at: 1_000, status: 200 }]);
  });

  test('is sent for a failed job', () => {
    const w = hooked();
    const id = w.submit({ give: { error: 'why', code: 1 } }, { webhook });
    w.until(60_000);
    expect(w.posted.map(({ body }) => body)).toEqual([
      `{"delayTime":0,"error":"why","executionTime":1000,"id":"${id}","input":{"give":{"error":"why","code":1}},"output":{"code":1},"status":"FAILED","webhook":"${webhook}"}`,
    ]);
  });

  test('is sent for a cancelled job, waiting or running', () => {
    const w = hooked([of(200)], { endpoints: { demo: { handler: () => NEVER, workers: 1 } } });
    const ids = [w.submit({ x: 1 }, { webhook }), w.submit({ x: 1 }, { webhook })];
    w.until(500);
    for (const id of ids) w.send('POST', `demo/cancel/${id}`);
    w.until(500);
    expect(w.posted.map(({ body }) => JSON.parse(body) as object)).toEqual([
      { delayTime: 0, executionTime: 500, id: ids[0], input: { x: 1 }, status: 'CANCELLED', webhook },
      { id: ids[1], input: { x: 1 }, status: 'CANCELLED', webhook },
    ]);
  });

  test('is sent for an expired job only if the job can still be read', () => {
    const run = (expired: 'gone' | 'timed-out') => {
      const w = hooked([of(200)], { endpoints: { demo: {} }, variants: { expired } });
      w.submit({ x: 1 }, { webhook, policy: { ttl: 10_000 } });
      w.until(20_000);
      w.ask('GET', 'demo/health');
      w.until(60_000);
      return w.posted.map(({ body }) => (JSON.parse(body) as { status: string }).status);
    };
    expect([run('gone'), run('timed-out')]).toEqual([[], ['TIMED_OUT']]);
  });

  test('is not sent for a job without one, or while the job runs', () => {
    const w = hooked();
    w.submit();
    w.until(60_000);
    w.submit({ x: 1 }, { webhook });
    w.until(60_999);
    expect(w.posted).toEqual([]);
    expect(w.emulator.jobs().map((job) => job.webhook)).toEqual([undefined, []]);
  });

  test('is sent again after a retry', () => {
    const w = hooked();
    const id = w.submit({ give: { error: 'why' } }, { webhook });
    w.until(2_000);
    w.send('POST', `demo/retry/${id}`);
    w.until(60_000);
    expect(w.posted.map(({ at }) => at)).toEqual([1_000, 3_000]);
  });

  test('is sent twice by the fault duplicate-webhook', () => {
    const w = hooked([of(200)], { faults: [{ fault: 'duplicate-webhook' }] });
    w.submit({ x: 1 }, { webhook });
    w.until(60_000);
    expect(w.posted).toHaveLength(2);
    expect(w.posted[0]).toEqual(w.posted[1]);
  });
});

describe('attempts', () => {
  const fails = throwError(() => new Error('connect ECONNREFUSED'));

  test('are three, 5 and 15 seconds apart, and do not change the job', () => {
    const w = hooked([of(500), fails, of(302)]);
    const id = w.submit({ x: 1 }, { webhook });
    w.until(600_000);
    expect(w.posted.map(({ at }) => at)).toEqual([1_000, 6_000, 21_000]);
    expect(new Set(w.posted.map(({ body, headers }) => JSON.stringify([body, headers]))).size).toBe(1);
    expect(attempts(w)).toEqual([
      { at: 1_000, status: 500 },
      { at: 6_000, failure: 'connect ECONNREFUSED' },
      { at: 21_000, status: 302 },
    ]);
    expect(w.ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'COMPLETED' });
  });

  test.each([200, 204, 299])('end with the first %s', (status) => {
    const w = hooked([fails, of(status)]);
    w.submit({ x: 1 }, { webhook });
    w.until(600_000);
    expect(w.posted).toHaveLength(2);
  });

  test('may have other pauses', () => {
    const w = hooked([of(500)], {}, { pauses: [10_000, 10_000, 1] });
    w.submit({ x: 1 }, { webhook });
    w.until(600_000);
    expect(w.posted.map(({ at }) => at)).toEqual([1_000, 11_000, 21_000, 21_001]);
  });

  test('are aborted after ten seconds', () => {
    let open = 0;
    const slow = new Observable<number>(() => {
      open += 1;
      return () => (open -= 1);
    });
    const w = hooked([slow, of(200)]);
    w.submit({ x: 1 }, { webhook });
    w.until(11_000);
    expect(open).toBe(0);
    w.until(600_000);
    expect(w.posted.map(({ at }) => at)).toEqual([1_000, 16_000]);
    expect(attempts(w)).toMatchObject([{ failure: expect.stringContaining('imeout') }, { status: 200 }]);
  });

  test('delay neither other webhooks nor other jobs', () => {
    const w = hooked([NEVER]);
    for (let count = 0; count < 50; count += 1) w.submit({ x: 1 }, { webhook });
    w.until(600_000);
    expect(w.posted).toHaveLength(150);
    expect(w.ask('GET', 'demo/health').jobs).toMatchObject({ completed: 50 });
  });

  test('end when the emulator is closed', () => {
    const answer = new Subject<number>();
    const w = hooked([answer]);
    w.submit({ x: 1 }, { webhook });
    w.until(1_000);
    expect(answer.observed).toBe(true);
    w.emulator.close();
    expect(answer.observed).toBe(false);
    w.until(600_000);
    expect(w.posted).toHaveLength(1);
  });
});

describe('the allowed hosts', () => {
  const sentTo = (url: string, webhooks: WebhookOptions = {}) => {
    const logged: unknown[] = [];
    const w = hooked([of(200)], { log: ({ parts }) => logged.push(...parts) }, webhooks);
    const id = w.submit({ x: 1 }, { webhook: url });
    w.until(60_000);
    expect(w.ask('GET', `demo/status/${id}`)).toMatchObject({ status: 'COMPLETED' });
    expect(logged).toHaveLength(w.posted.length ? 0 : 1);
    return w.posted.length;
  };

  test.each([
    'http://127.0.0.1/',
    'http://localhost:1/',
    'https://app.localhost/x',
    'http://[::1]:8080/',
    'http://127.8.9.1/',
    'http://2130706433/',
  ])('%s is this machine, and allowed', (url) => {
    expect(sentTo(url)).toBe(1);
  });

  test.each([
    'https://example.com/',
    'http://10.0.0.1/',
    'http://169.254.169.254/',
    'http://0.0.0.0/',
    'http://localhost.example.com/',
    'http://127.0.0.1.example.com/',
    'http://127.0.0.1@example.com/',
    'file:///etc/hosts',
    'not a url',
  ])('%s is not allowed', (url) => {
    expect(sentTo(url)).toBe(0);
  });

  test('can include other hosts by name, or all hosts', () => {
    expect(sentTo('https://example.com/', { allow: ['example.com'] })).toBe(1);
    expect(sentTo('https://www.example.com/', { allow: ['example.com'] })).toBe(0);
    expect(sentTo('https://www.example.com/', { allow: true })).toBe(1);
    expect(sentTo('file:///etc/hosts', { allow: true })).toBe(0);
  });

  test('the ledger holds the reason why a webhook was not sent', () => {
    const w = hooked();
    w.submit({ x: 1 }, { webhook: 'https://example.com/' });
    w.until(60_000);
    expect(attempts(w)).toEqual([
      { at: 1_000, failure: 'example.com is not this machine, and not among the hosts that webhooks may go to' },
    ]);
  });
});

test('without a sender no webhook is sent', () => {
  const w = world({ endpoints: { demo: { handler: () => 1 } } });
  w.submit({ x: 1 }, { webhook });
  w.until(60_000);
  expect(attempts(w)).toEqual([]);
});

import { VirtualTimeScheduler, defer, of, switchMap, throwError, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ConnectionError, HttpError, RequestTimeoutError } from '../../src/errors/index.js';
import type { CallState } from '../../src/http/CallState.js';
import { retryCall, type RetryOptions } from '../../src/http/retryCall.js';
import { MAX_RETRY_AFTER } from '../../src/protocol/limits.js';
import { MAX_TIMER } from '../../src/protocol/limits.js';
import type { CallRequest } from '../../src/types/Link.js';
import type { Reply } from '../../src/types/Transport.js';

type Outcome = Reply | Error;

const unsent = new ConnectionError('connection refused', { operation: 'status' }, { phase: 'connect' });
const broken = new ConnectionError('connection reset', { operation: 'status' }, { phase: 'sent' });
const late = new RequestTimeoutError('no answer', { operation: 'status' }, { timeout: 30_000 });

/** A reply with a text and headers. */
function reply(status: number, text = '', headers: Reply['headers'] = {}): Reply {
  return { status, headers, text };
}

/** A reply that asks to wait. */
function askToWait(status: number, retryAfter: string, headers: Reply['headers'] = {}): Reply {
  return reply(status, '', { 'retry-after': retryAfter, ...headers });
}

/** The same outcome several times. */
function times(count: number, outcome: Outcome): Outcome[] {
  return Array.from({ length: count }, () => outcome);
}

interface Play {
  /** `status` where it is not given. */
  readonly operation?: string;
  readonly method?: CallRequest['method'];
  readonly retry?: RetryOptions;
  /** What `random` gives, one number after the other; then 0.5. */
  readonly random?: readonly number[];
  readonly state?: Partial<CallState>;
  /** How long an answer takes, in milliseconds; it is synchronous where this is absent. */
  readonly latency?: number;
  /** When the call becomes abandoned, in milliseconds. */
  readonly abandonedAt?: number;
}

/**
 * Makes a call in virtual time, and waits for its end. Its attempts end with the outcomes, one after the other, and then with
 * 200.
 */
function play(outcomes: readonly Outcome[], options: Play = {}) {
  const { operation = 'status', method = 'GET', retry = {}, random = [], latency, abandonedAt } = options;
  const scheduler = new VirtualTimeScheduler();
  const state = {
    ...{ id: 1, attempt: 1, maybeReceived: true, abandoned: false, secrets: [], lagUntil: -Infinity, urgent: false },
    ...options.state,
  };
  const remaining = [...outcomes];
  const numbers = [...random];
  const sentAt: number[] = [];
  const repeats: [delay: number, reason: string][] = [];
  const attempt = defer(() => {
    sentAt.push(scheduler.now());
    const outcome = remaining.shift() ?? reply(200);
    const answer = outcome instanceof Error ? throwError(() => outcome) : of(outcome);
    return latency === undefined ? answer : timer(latency, scheduler).pipe(switchMap(() => answer));
  });
  const request = { operation, method } as CallRequest;
  const call = retryCall(attempt, request, state, {
    retry,
    scheduler,
    random: () => numbers.shift() ?? 0.5,
    onRepeat: (delay, reason) => {
      repeats.push([delay, reason]);
    },
  });
  const ends: unknown[] = [];
  const run = () => {
    call.subscribe({ next: (answer) => ends.push(answer), error: (error: unknown) => ends.push(error) });
    scheduler.flush();
  };
  if (abandonedAt !== undefined)
    scheduler.schedule(() => {
      state.abandoned = true;
    }, abandonedAt);
  run();
  const pauses = repeats.map(([delay]) => delay);
  return { sentAt, pauses, repeats, ends, attempts: sentAt.length, runAgain: run };
}

/** How often a call is sent whose first attempt ends like this, and all others with 200. */
function attemptsAfter(outcome: Outcome, options?: Play): number {
  const { attempts, ends } = play([outcome], options);
  expect(ends).toEqual([attempts === 1 ? outcome : reply(200)]);
  return attempts;
}

const submission: Play = { operation: 'run', method: 'POST' };
const eager: [string, Play][] = [
  ['status', {}],
  ['health', { operation: 'health' }],
  ['cancel', { operation: 'cancel/job-1', method: 'POST' }],
  ['an unknown read', { operation: 'openai/v1/models' }],
];
const careful: [string, Play][] = [
  ['run', submission],
  ['runsync', { operation: 'runsync', method: 'POST' }],
  ['retry', { operation: 'retry/job-1', method: 'POST' }],
  ['stream', { operation: 'stream/job-1' }],
  ['purge-queue', { operation: 'purge-queue', method: 'POST' }],
  ['an unknown call with POST', { operation: 'openai/v1/chat/completions', method: 'POST' }],
];

describe('which outcomes are repeated', () => {
  const refusals = [307, 308, 400, 401, 403, 404, 409, 413, 422, 499];

  it.each(eager)('S2 %s is sent again after every failure that may pass, and after no other', (_, options) => {
    for (const status of [408, 429, 500, 502, 503, 504, 524, 599])
      expect([status, attemptsAfter(reply(status), options)]).toEqual([status, 2]);
    for (const error of [unsent, broken, late]) expect([error, attemptsAfter(error, options)]).toEqual([error, 2]);
    for (const status of [200, 204, 300, 302, ...refusals])
      expect([status, attemptsAfter(reply(status), options)]).toEqual([status, 1]);
  });

  it.each(careful)('S1 %s is sent again only where the server cannot have acted on it', (_, options) => {
    expect(attemptsAfter(reply(429), options)).toBe(2);
    expect(attemptsAfter(unsent, options)).toBe(2);
    for (const error of [broken, late]) expect([error, attemptsAfter(error, options)]).toEqual([error, 1]);
    for (const status of [200, 204, 300, 302, 408, 500, 502, 503, 504, 524, ...refusals])
      expect([status, attemptsAfter(reply(status), options)]).toEqual([status, 1]);
  });

  it.each([
    ['that is not about the network', new HttpError('no', { operation: 'status' }, { status: 503 })],
    ['that is not the library’s own', new TypeError('a bug')],
  ])('S2 an error %s passes', (_, error) => {
    expect(attemptsAfter(error)).toBe(1);
  });

  it('S2 a success is passed on, even with a Retry-After', () => {
    expect(play([])).toMatchObject({ sentAt: [0], repeats: [], ends: [reply(200)] });
    const success = reply(200, '{"id":"j"}', { 'retry-after': '1' });
    expect(play([success])).toMatchObject({ sentAt: [0], repeats: [], ends: [success] });
  });
});

describe('how often a call is sent', () => {
  it.each<[string, Outcome]>([
    ['a 503', reply(503)],
    ['a 429', reply(429)],
    ['a failed connection attempt', unsent],
    ['a broken connection', broken],
    ['a timeout', late],
  ])('S2 is at most four by default: each time %s', (_, outcome) => {
    const { attempts, repeats, ends } = play(times(4, outcome));
    expect(attempts).toBe(4);
    expect(repeats).toHaveLength(3);
    expect(ends).toEqual([outcome]);
  });

  it.each([1, 2, 3, 6])('S2 is at most %i where attempts says so', (attempts) => {
    for (const outcome of [reply(503), broken])
      expect(play(times(attempts, outcome), { retry: { attempts } })).toMatchObject({ attempts, ends: [outcome] });
    const recovered = play(times(attempts - 1, reply(503)), { retry: { attempts } });
    expect(recovered).toMatchObject({ attempts, ends: [reply(200)] });
  });

  it('S2 counts replies and errors together', () => {
    const outcomes = [reply(503), broken, askToWait(429, '1'), late];
    expect(play(outcomes)).toMatchObject({ attempts: 4, ends: [late] });
  });

  it('S2 passes the last failure on without a pause', () => {
    const { sentAt } = play(times(2, broken), { retry: { attempts: 1 } });
    expect(sentAt).toEqual([0]);
  });

  it('S2 is counted for each subscription, which begins with the shortest pause', () => {
    const { runAgain, pauses, ends, repeats } = play(times(8, reply(503)));
    expect(pauses).toEqual([250, 500, 1_000]);
    runAgain();
    expect(repeats.slice(3).map(([delay]) => delay)).toEqual([250, 500, 1_000]);
    expect(ends).toEqual([reply(503), reply(503)]);
  });
});

describe('the pause before a repeat', () => {
  const many = { retry: { attempts: 9 } };

  it('S2 is drawn below a bound that doubles from 500 ms to 10 s', () => {
    const { pauses } = play(times(8, reply(503)), many);
    expect(pauses).toEqual([250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
  });

  it('S2 is drawn anew for each repeat, over the whole range', () => {
    const { pauses } = play(times(4, broken), { ...many, random: [0, 0.9, 0.25, 1] });
    expect(pauses).toEqual([0, 900, 500, 4_000]);
  });

  it('S2 has the bounds that the caller sets', () => {
    const { pauses } = play(times(4, broken), { retry: { attempts: 5, base: 100, max: 300 } });
    expect(pauses).toEqual([50, 100, 150, 150]);
    expect(play([broken], { retry: { base: 1_000, max: 100 } }).pauses).toEqual([50]);
  });

  it('S9 begins with the failure, and is timed by the scheduler', () => {
    const { sentAt } = play(times(3, reply(503)), { latency: 100 });
    expect(sentAt).toEqual([0, 350, 950, 2_050]);
  });

  it('S2 is no longer than a timer can be', () => {
    const seconds = String(2 * MAX_TIMER);
    expect(play([askToWait(429, seconds)], { retry: { maxRetryAfter: Infinity } }).sentAt).toEqual([0, MAX_TIMER]);
    const long = { base: 4 * MAX_TIMER, max: Infinity };
    expect(play([reply(503)], { retry: long }).sentAt).toEqual([0, MAX_TIMER]);
  });
});

describe('Retry-After', () => {
  const date = 'Wed, 21 Oct 2026 07:28:00 GMT';

  it.each([
    ['seconds', askToWait(429, '7')],
    ['a date', askToWait(429, 'Wed, 21 Oct 2026 07:28:07 GMT', { date })],
    ['seconds with a fraction', askToWait(503, '7.0')],
  ])('S2 is obeyed in place of a pause that is drawn: %s', (_, outcome) => {
    expect(play([outcome])).toMatchObject({ sentAt: [0, 7_000], pauses: [7_000], ends: [reply(200)] });
  });

  it('S2 is compared with the scheduler’s time where it is a date and the reply has no Date', () => {
    const outcome = askToWait(429, 'Thu, 01 Jan 1970 00:00:05 GMT');
    expect(play([outcome], { latency: 2_000 }).sentAt).toEqual([0, 5_000]);
  });

  it.each([
    ['of zero', askToWait(429, '0')],
    ['that is shorter', askToWait(429, '0.1')],
    ['that is a date of the past', askToWait(429, 'Wed, 21 Oct 2015 07:28:00 GMT', { date })],
  ])('S2 %s does not take away the pause that is drawn', (_, outcome) => {
    expect(play([outcome])).toMatchObject({ sentAt: [0, 250], pauses: [250] });
  });

  it('S2 that cannot be read leaves the pause as it is', () => {
    expect(play([askToWait(429, 'soon')]).pauses).toEqual([250]);
  });

  it('S2 is obeyed within the bound of attempts, and doubles the bound of the next pause', () => {
    const outcome = askToWait(429, '1');
    expect(play(times(4, outcome))).toMatchObject({ sentAt: [0, 1_000, 2_000, 3_000], ends: [outcome] });
    // The third pause is drawn, below a bound that was doubled twice.
    expect(play([outcome, outcome, reply(503)]).pauses).toEqual([1_000, 1_000, 1_000]);
  });

  it('S2 is obeyed up to a minute, and a longer one is not repeated', () => {
    expect(MAX_RETRY_AFTER).toBe(60_000);
    expect(play([askToWait(429, '60')]).sentAt).toEqual([0, 60_000]);
    expect(play([askToWait(429, '60.001')])).toMatchObject({ sentAt: [0], repeats: [], ends: [{ status: 429 }] });
  });

  it('S2 is obeyed up to the caller’s own limit', () => {
    const retry = { maxRetryAfter: 2_000 };
    expect(play([askToWait(503, '2')], { retry }).sentAt).toEqual([0, 2_000]);
    expect(play([askToWait(503, '3')], { retry })).toMatchObject({ sentAt: [0], ends: [{ status: 503 }] });
  });

  it('S1 does not make a call repeatable', () => {
    expect(attemptsAfter(askToWait(503, '1'), submission)).toBe(1);
    expect(attemptsAfter(askToWait(400, '1'))).toBe(1);
    expect(attemptsAfter(askToWait(302, '1'))).toBe(1);
  });
});

describe('an abandoned call', () => {
  it.each([
    ['a reply', reply(429)],
    ['a reply that asks to wait', askToWait(429, '1')],
    ['a failed connection', unsent],
  ])('S5 is not sent again after %s', (_, outcome) => {
    for (const options of [{}, submission]) {
      const abandoned = play([outcome], { ...options, latency: 100, abandonedAt: 50 });
      expect(abandoned).toMatchObject({ sentAt: [0], repeats: [], ends: [outcome] });
      const waitedFor = play([outcome], { ...options, latency: 100 });
      expect(waitedFor.attempts).toBe(2);
    }
  });

  it('S5 is not sent again because of submission lag', () => {
    const options = { state: { lagUntil: 10_000 }, latency: 100, abandonedAt: 50 };
    expect(play([reply(404)], options)).toMatchObject({ sentAt: [0], repeats: [], ends: [reply(404)] });
  });
});

describe('a 404 within the submission lag', () => {
  const lagging = { state: { lagUntil: 10_000 } };

  it('S18 is repeated every half second until the lag is over', () => {
    const { sentAt, pauses, ends } = play(times(21, reply(404)), lagging);
    expect(pauses).toEqual(times(20, reply(404)).map(() => 500));
    expect(sentAt.at(-1)).toBe(10_000);
    expect(ends).toEqual([reply(404)]);
  });

  it('S18 is repeated whatever the call, and whatever attempts and Retry-After say', () => {
    for (const options of [submission, { operation: 'stream/job-1' }, { operation: 'cancel/job-1' }])
      expect(attemptsAfter(reply(404), { ...options, ...lagging })).toBe(2);
    expect(attemptsAfter(reply(404), { retry: { attempts: 1 }, ...lagging })).toBe(2);
    expect(play([askToWait(404, '3')], lagging).pauses).toEqual([500]);
  });

  it('S18 does not count as an attempt, and leaves the bound of the pauses as it is', () => {
    const outcomes = [reply(404), reply(503), reply(404), broken, reply(404), reply(503)];
    const { pauses, ends } = play(outcomes, { ...lagging, retry: { attempts: 3 } });
    expect(pauses).toEqual([500, 250, 500, 500, 500]);
    expect(ends).toEqual([reply(503)]);
  });

  it('S18 is measured when the answer comes', () => {
    expect(play([reply(404)], { ...lagging, latency: 9_999 }).sentAt).toEqual([0, 10_499]);
    expect(play([reply(404)], { ...lagging, latency: 10_000 }).sentAt).toEqual([0]);
  });

  it('S18 is passed on where the endpoint is missing', () => {
    const missing = reply(404, '{"error":"endpoint not found"}');
    expect(play([missing], lagging)).toMatchObject({ sentAt: [0], repeats: [], ends: [missing] });
    expect(attemptsAfter(reply(404, '{"error":"job not found"}'), lagging)).toBe(2);
  });
});

describe('onRepeat gets the pause and the reason', () => {
  it.each<[string, Outcome, string]>([
    ['the status, for a reply without words', reply(503), '503'],
    ['the status and the words, for a reply with words', reply(503, '{"error":"no  capacity\\n"}'), '503 no capacity'],
    [
      'the status and the title, for an HTML page',
      reply(502, '<html><title>Bad gateway</title></html>'),
      '502 Bad gateway',
    ],
    ['the message, for an error', broken, 'connection reset'],
  ])('S2 %s', (_, outcome, reason) => {
    expect(play([outcome]).repeats).toEqual([[250, reason]]);
  });

  it('S21 with the API keys taken out', () => {
    const busy = reply(503, 'rpa_OLD and rpa_NEW are busy');
    const { repeats } = play([busy], { state: { secrets: ['rpa_OLD', 'rpa_NEW'] } });
    expect(repeats).toEqual([[250, '503 *** and *** are busy']]);
  });

  it('S18 of a 404 within the submission lag, too', () => {
    const { repeats } = play([reply(404, 'job not found')], { state: { lagUntil: 10_000 } });
    expect(repeats).toEqual([[500, '404 job not found']]);
  });

  it('S2 for each repeat in turn', () => {
    const { repeats } = play([reply(503, 'one'), askToWait(429, '2'), broken]);
    expect(repeats).toEqual([
      [250, '503 one'],
      [2_000, '429'],
      [1_000, 'connection reset'],
    ]);
  });
});

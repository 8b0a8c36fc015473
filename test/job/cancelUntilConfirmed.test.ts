import { NEVER, Subject, concatMap, delay, of, tap, throwError, timer, type Observable } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { AuthenticationError } from '../../src/errors/AuthenticationError.js';
import { ConnectionError } from '../../src/errors/ConnectionError.js';
import { HttpError } from '../../src/errors/HttpError.js';
import { JobExpiredError } from '../../src/errors/JobExpiredError.js';
import { JobNotFoundError } from '../../src/errors/JobNotFoundError.js';
import { NotFoundError } from '../../src/errors/NotFoundError.js';
import { ResponseError } from '../../src/errors/ResponseError.js';
import { RunpodError } from '../../src/errors/RunpodError.js';
import { cancelUntilConfirmed } from '../../src/job/cancelUntilConfirmed.js';
import { snapshotOf } from '../../src/protocol/snapshot.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { Machine } from '../support/Machine.js';
import { clock } from '../support/world.js';

const job = (status: string, more: object = {}): JobSnapshot =>
  (snapshotOf({ id: 'job-1', status, ...more }) as { value: JobSnapshot }).value;
const context = { operation: 'cancel', jobId: 'job-1' };
const http = (status: number, retryAfter?: number): HttpError =>
  new HttpError(`answered ${status}`, context, { status, retryAfter, retryable: status === 429 || status >= 500 });
const keyRefused = new AuthenticationError('no', context, { status: 401, retryable: false });
const endpointMissing = new NotFoundError('no', context, { status: 404, retryable: false });
/** The error for a 4xx that is the page of a gateway. */
const page = (status: number, details = {}): HttpError => {
  const classes: Partial<Record<number, typeof HttpError>> = {
    401: AuthenticationError,
    403: AuthenticationError,
    404: NotFoundError,
  };
  return new (classes[status] ?? HttpError)('a page', context, { status, retryable: true, ...details });
};
const gone = new JobNotFoundError('gone', context);
const expired = new JobExpiredError('gone', context, {});
const broken = new ConnectionError('broken', context, { phase: 'sent', retryable: true });
const unreadable = new ResponseError('not JSON', context, { excerpt: '', retryable: true });

type Turn = JobSnapshot | Error | 'never';
const turn = (one: Turn): Observable<JobSnapshot> =>
  one === 'never' ? NEVER : one instanceof Error ? throwError(() => one) : of(one);

/** Gives the turns one by one, the last one again and again; notes the time of each call. */
function asked(now: () => number, turns: readonly Turn[]) {
  const at: number[] = [];
  return { at, ask: () => turn(turns[Math.min(at.push(now()) - 1, turns.length - 1)]!) };
}

function settling(cancels: readonly Turn[], statuses: readonly Turn[] = [job('IN_PROGRESS')], onlyIfQueued = false) {
  const time = clock();
  const now = () => time.scheduler.now();
  const [cancel, status] = [asked(now, cancels), asked(now, statuses)];
  const seen = time.see(cancelUntilConfirmed(cancel.ask, status.ask, { scheduler: time.scheduler, onlyIfQueued }));
  return { ...time, seen, cancels: cancel.at, reads: status.at };
}

describe('cancelUntilConfirmed that lets others go first', () => {
  test('S6 sends the cancel one macrotask later', () => {
    const time = clock();
    const cancel = asked(() => time.scheduler.now(), [job('CANCELLED')]);
    const seen = time.see(
      cancelUntilConfirmed(cancel.ask, () => NEVER, { scheduler: time.scheduler, letOthersGoFirst: true }),
    );
    expect(cancel.at).toEqual([]);
    time.until(0);
    expect(cancel.at).toEqual([0]);
    expect(seen.values).toMatchObject([{ outcome: 'cancelled' }]);
  });

  test('S6 reads the job instead where it ended meanwhile', () => {
    const time = clock();
    let over = false;
    const cancel = asked(() => time.scheduler.now(), [job('CANCELLED')]);
    const read = () => of(job('COMPLETED', { output: 1 }));
    const isKnownOver = () => over;
    const seen = time.see(
      cancelUntilConfirmed(cancel.ask, read, { scheduler: time.scheduler, letOthersGoFirst: true, isKnownOver }),
    );
    over = true;
    time.until(0);
    expect(cancel.at).toEqual([]);
    expect(seen.values).toMatchObject([{ outcome: 'finished', snapshot: { status: 'COMPLETED' } }]);
  });
});

describe('cancelUntilConfirmed', () => {
  test.each<[string, Turn, object]>([
    ['CANCELLED', job('CANCELLED'), { outcome: 'cancelled', snapshot: { status: 'CANCELLED' } }],
    ['COMPLETED', job('COMPLETED', { output: 1 }), { outcome: 'finished', snapshot: { status: 'COMPLETED' } }],
    ['FAILED', job('FAILED', { error: 'x' }), { outcome: 'finished' }],
    ['TIMED_OUT', job('TIMED_OUT', { error: 'x' }), { outcome: 'finished' }],
    ['404', gone, { outcome: 'finished', error: gone }],
    ['404, of a job that was seen before', expired, { outcome: 'finished', error: expired }],
  ])('S6 answered %s: one cancel, and no read', (_, answer, settled) => {
    const { seen, cancels, reads, scheduler } = settling([answer]);
    expect(seen.values).toMatchObject([settled]);
    expect(seen.values).toHaveLength(1);
    expect([seen.ended, seen.error, cancels, reads]).toEqual([0, undefined, [0], []]);
    expect(scheduler.actions).toEqual([]);
  });

  test('S6 S8 answered with a bare COMPLETED: the output is read', () => {
    const { seen, cancels, reads } = settling([job('COMPLETED')], [job('COMPLETED', { output: 1 })]);
    expect(seen.values).toMatchObject([{ outcome: 'finished', snapshot: { output: 1 } }]);
    expect([cancels, reads]).toEqual([[0], [0]]);
  });

  test('S6 answered with a bare COMPLETED, and the read fails: finished, with the error of the read', () => {
    const { seen, cancels, reads, scheduler } = settling([job('COMPLETED')], [broken]);
    expect(seen.values).toEqual([{ outcome: 'finished', error: broken }]);
    expect([cancels, reads, scheduler.actions]).toEqual([[0], [0], []]);
  });

  test('S6 refused, and the job is gone: finished, with the error of the read', () => {
    const { seen } = settling([http(400)], [expired]);
    expect(seen.values).toEqual([{ outcome: 'finished', error: expired }]);
  });

  test.each<[string, Turn]>([
    ['401', keyRefused],
    ['403', new AuthenticationError('no', context, { status: 403, retryable: false })],
    ['404 of the endpoint, which a key without access gets', endpointMissing],
  ])('S6 answered %s: tried four times, since keys rotate, and abandoned', (_, answer) => {
    const { seen, cancels, reads, until, scheduler } = settling([answer]);
    until(600_000);
    expect(seen.values).toMatchObject([{ outcome: 'abandoned', error: answer }]);
    expect([cancels, reads, scheduler.actions]).toEqual([[0, 1_000, 3_000, 7_000], [], []]);
  });

  test('S6 answered 401, and then with the new key: cancelled', () => {
    const { seen, cancels, until } = settling([keyRefused, keyRefused, keyRefused, job('CANCELLED')]);
    until(600_000);
    expect(seen.values).toMatchObject([{ outcome: 'cancelled' }]);
    expect(cancels).toHaveLength(4);
  });

  describe('S6 answered by something that confirms nothing', () => {
    const answers: [string, Turn][] = [
      ['a 200 that cannot be read, such as a login page', unreadable],
      ['that the job is queued', job('IN_QUEUE')],
      ['that the job runs', job('IN_PROGRESS')],
      ['an unknown status', job('CANCELLING')],
      ['a page with 403', page(403)],
      ['a page with 401', page(401)],
      ['a page with 404', page(404)],
      ['a page with 400', page(400)],
    ];

    test.each(answers)('%s: the job is read, and cancelled again while it runs', (_, answer) => {
      const { seen, cancels, reads, until } = settling([answer, answer, job('CANCELLED')]);
      until(100_000);
      expect(seen.values).toMatchObject([{ outcome: 'cancelled', snapshot: { status: 'CANCELLED' } }]);
      expect([cancels, reads]).toEqual([
        [0, 1_000, 3_000],
        [0, 1_000],
      ]);
    });

    test.each(answers)('%s: the job is read, and is cancelled', (_, answer) => {
      const { seen, cancels, reads } = settling([answer], [job('CANCELLED')]);
      expect(seen.values).toMatchObject([{ outcome: 'cancelled', snapshot: { status: 'CANCELLED' } }]);
      expect([cancels, reads]).toEqual([[0], [0]]);
    });

    test.each(answers)('%s: the job is read, and has completed', (_, answer) => {
      const { seen } = settling([answer], [job('COMPLETED', { output: 1 })]);
      expect(seen.values).toMatchObject([{ outcome: 'finished', snapshot: { output: 1 } }]);
    });

    test.each(answers)('%s: the job is read, and gone', (_, answer) => {
      const { seen } = settling([answer], [gone]);
      expect(seen.values).toEqual([{ outcome: 'finished', error: gone }]);
    });

    test.each(answers)('%s for ten minutes, while the job runs: abandoned', (_, answer) => {
      const { seen, until, scheduler } = settling([answer]);
      until(599_999);
      expect(seen.values).toEqual([]);
      until(600_000);
      expect(seen.values).toMatchObject([{ outcome: 'abandoned' }]);
      expect((seen.values[0] as { error?: unknown }).error).toBeInstanceOf(RunpodError);
      expect(scheduler.actions).toEqual([]);
    });
  });

  describe('S6 answered 404 by a page', () => {
    test('on both /cancel and /status, for two minutes: it is believed', () => {
      const { seen, cancels, reads, until } = settling([page(404)], [page(404)]);
      until(120_999);
      expect(seen.values).toEqual([]);
      until(600_000);
      expect(seen.values).toMatchObject([{ outcome: 'finished', error: { status: 404 } }]);
      const times = [0, 1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000, 121_000];
      expect([cancels, reads]).toEqual([times, times]);
    });

    test('while a gateway has no route for a minute and a half: the job is cancelled after that', () => {
      const missing = Array<Turn>(8).fill(page(404));
      const { seen, cancels, until } = settling([...missing, job('CANCELLED')], [page(404)]);
      until(600_000);
      expect(seen.values).toMatchObject([{ outcome: 'cancelled' }]);
      expect(cancels.at(-1)).toBe(121_000);
    });

    test('three times in two minutes, since it asks for pauses: it is not believed before the fifth time', () => {
      const rare = page(404, { retryAfter: 60_000 });
      const { seen, cancels, until } = settling([rare], [rare]);
      until(600_000);
      expect(seen.values).toMatchObject([{ outcome: 'finished' }]);
      expect(cancels).toEqual([0, 60_000, 120_000, 180_000, 240_000]);
    });

    test.each<[string, Turn]>([
      ['the job runs', job('IN_PROGRESS')],
      ['no connection', broken],
      ['a page with 403', page(403)],
    ])('and once /status was answered otherwise (%s): the counting begins anew', (_, other) => {
      const { cancels, seen, until } = settling([page(404)], [page(404), page(404), page(404), other, page(404)]);
      until(600_000);
      expect(seen.values).toMatchObject([{ outcome: 'finished' }]);
      expect(cancels).toHaveLength(10);
    });
  });

  describe('S6 the ten minutes', () => {
    /** Cancels of which each waits for a while within the limits before it is sent, and takes a second. */
    function waiting(wait: number, answers: readonly Turn[]) {
      const time = clock();
      const { scheduler } = time;
      const turns$ = new Subject<'waiting' | 'sent'>();
      const cancel = asked(() => scheduler.now(), answers);
      const inTurn = () => {
        turns$.next('waiting');
        return timer(wait, scheduler).pipe(
          tap(() => {
            turns$.next('sent');
          }),
          delay(1_000, scheduler),
          concatMap(cancel.ask),
        );
      };
      const seen = time.see(cancelUntilConfirmed(inTurn, () => of(job('IN_PROGRESS')), { scheduler, turns$ }));
      return { ...time, seen, cancels: cancel.at };
    }

    test('end also by a clock with fractions of a millisecond', () => {
      const time = clock();
      time.scheduler.schedule(() => undefined, 0.7);
      time.until(0.7);
      const { scheduler } = time;
      const seen = time.see(
        cancelUntilConfirmed(
          () => NEVER,
          () => NEVER,
          { scheduler },
        ),
      );
      time.until(600_001);
      expect(seen.values).toMatchObject([{ outcome: 'abandoned' }]);
    });

    test('do not count waiting within the limits before the first attempt', () => {
      const { seen, until } = waiting(3_600_000, [job('CANCELLED')]);
      until(10_000_000);
      expect(seen).toMatchObject({ values: [{ outcome: 'cancelled' }], at: [3_601_000] });
    });

    test('do not count waiting within the limits between attempts', () => {
      const { seen, until, cancels } = waiting(900_000, [broken, broken, broken, job('CANCELLED')]);
      until(10_000_000);
      expect(seen.values).toMatchObject([{ outcome: 'cancelled' }]);
      expect(cancels).toHaveLength(4);
    });

    test('are counted from the first attempt that was sent', () => {
      const { seen, until, scheduler } = waiting(1_000_000, ['never']);
      until(10_000_000);
      expect(seen).toMatchObject({ values: [{ outcome: 'abandoned' }], at: [1_600_000] });
      expect(scheduler.actions).toEqual([]);
    });

    test('S9 are not used up by a sleep of the machine', () => {
      const { scheduler, see, until } = clock();
      const machine = new Machine(scheduler);
      const cancel = asked(() => scheduler.now(), [broken, broken, broken, job('CANCELLED')]);
      const seen = see(cancelUntilConfirmed(cancel.ask, () => NEVER, { scheduler: machine.scheduler }));
      until(2_000);
      machine.sleep(3_600_000);
      until(4_000_000);
      expect(seen.values).toMatchObject([{ outcome: 'cancelled' }]);
      expect(cancel.at).toHaveLength(4);
    });

    test('S9 are ten minutes in which the machine is awake, and half a minute for each sleep at most', () => {
      const { scheduler, see, until } = clock();
      const machine = new Machine(scheduler);
      const seen = see(
        cancelUntilConfirmed(
          () => NEVER,
          () => NEVER,
          { scheduler: machine.scheduler },
        ),
      );
      until(15_000);
      machine.sleep(3_600_000);
      until(10_000_000);
      expect(seen).toMatchObject({ values: [{ outcome: 'abandoned' }], at: [3_615_000 + 570_000] });
      expect(scheduler.actions).toEqual([]);
    });

    test('are counted anew at the first attempt that was sent, where another thing held it before', () => {
      const time = clock();
      const turns$ = new Subject<'waiting' | 'sent'>();
      const seen = time.see(
        cancelUntilConfirmed(
          () => NEVER,
          () => NEVER,
          { scheduler: time.scheduler, turns$ },
        ),
      );
      time.at(599_000, () => {
        turns$.next('sent');
      });
      time.until(10_000_000);
      expect(seen.at).toEqual([1_199_000]);
    });
  });

  test('S18 a job that is known to be over, and is never read as such, has that as its error', () => {
    const { see, until, scheduler } = clock();
    const read = () => of(job('IN_PROGRESS'));
    const seen = see(cancelUntilConfirmed(read, read, { scheduler, isKnownOver: () => true }));
    until(600_000);
    const message = 'job job-1 is over, and was answered otherwise';
    expect(seen.values).toMatchObject([{ outcome: 'finished', error: { message } }]);
  });

  test('S6 S18 answered with a bare COMPLETED, and then read as running: the job is read again, so that its output is not lost', () => {
    const { see, until, scheduler } = clock();
    const statuses = [job('IN_PROGRESS'), job('COMPLETED', { output: 1 })];
    let cancels = 0;
    const cancel = () => {
      cancels++;
      return of(job('COMPLETED'));
    };
    const seen = see(
      cancelUntilConfirmed(cancel, () => of(statuses.shift()!), { scheduler, isKnownOver: () => cancels > 0 }),
    );
    until(10_000);
    expect(seen).toMatchObject({ values: [{ outcome: 'finished', snapshot: { output: 1 } }], at: [1_000] });
    expect(cancels).toBe(1);
  });

  test('S18 a job that is known to be over is read until an answer says so, and not cancelled', () => {
    const { see, until, scheduler } = clock();
    const statuses = [job('IN_PROGRESS'), job('COMPLETED', { output: 1 })];
    const cancel = () => throwError(() => new Error('not to be sent'));
    const status = () => of(statuses.shift()!);
    const seen = see(cancelUntilConfirmed(cancel, status, { scheduler, isKnownOver: () => true }));
    until(10_000);
    expect(seen).toMatchObject({ values: [{ outcome: 'finished', snapshot: { output: 1 } }], at: [1_000] });
  });

  test('S6 S18 a job that is known to be over, and is never read as such, is finished, not abandoned: it costs nothing', () => {
    const { see, until, scheduler } = clock();
    const seen = see(
      cancelUntilConfirmed(
        () => throwError(() => new Error('not to be sent')),
        () => of(job('IN_PROGRESS')),
        { scheduler, isKnownOver: () => true },
      ),
    );
    until(600_000);
    expect(seen).toMatchObject({ values: [{ outcome: 'finished' }], at: [600_000] });
    expect(scheduler.actions).toEqual([]);
  });

  test('S6 an unreadable /status confirms nothing: the job is read again, and cancelled while it is queued', () => {
    const { seen, cancels, reads, until } = settling([job('CANCELLED')], [unreadable, job('IN_QUEUE')], true);
    until(10_000);
    expect(seen.values).toMatchObject([{ outcome: 'cancelled', snapshot: { status: 'CANCELLED' } }]);
    expect([cancels, reads]).toEqual([[1_000], [0, 1_000]]);
  });

  test('S6 repeats the cancel after longer and longer pauses, half a minute at most, until it is answered', () => {
    const { seen, cancels, until } = settling([...Array<Turn>(9).fill(broken), job('CANCELLED')]);
    until(599_000);
    const pauses = cancels.slice(1).map((at, n) => at - cancels[n]!);
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
    expect(seen.values).toMatchObject([{ outcome: 'cancelled' }]);
  });

  test.each<[number | undefined, number]>([
    [20_000, 20_000],
    [100, 1_000],
    [undefined, 1_000],
    // One answer cannot use up the patience: the job would run on, and cost.
    [86_400_000, 120_000],
  ])('S2 waits at least as long as Retry-After asks, and two minutes at most: %s ms', (retryAfter, pause) => {
    const { cancels, until } = settling([http(429, retryAfter), job('CANCELLED')]);
    until(200_000);
    expect(cancels).toEqual([0, pause]);
  });

  test.each<[string, Turn]>([
    ['no connection', broken],
    ['500', http(500)],
    ['no answer at all', 'never'],
    ['a Retry-After of a day', http(429, 86_400_000)],
  ])('S6 with %s gives up after ten minutes, and reports the job as abandoned', (_, answer) => {
    const { seen, until, scheduler, cancels } = settling([answer]);
    until(599_999);
    expect(seen.values).toEqual([]);
    until(600_000);
    expect(seen.values).toMatchObject([{ outcome: 'abandoned' }]);
    expect([seen.ended, seen.error]).toEqual([600_000, undefined]);
    expect((seen.values[0] as { error?: unknown }).error).toBe(answer === 'never' ? undefined : answer);
    const sent = cancels.length;
    until(2_000_000);
    expect(cancels).toHaveLength(sent);
    expect(scheduler.actions).toEqual([]);
  });

  describe('refused for another reason, reads the job', () => {
    test.each<[string, Turn, string]>([
      ['over', job('COMPLETED'), 'finished'],
      ['cancelled', job('CANCELLED'), 'cancelled'],
      ['gone', gone, 'finished'],
    ])('which is %s', (_, status, outcome) => {
      const { seen, cancels, reads } = settling([http(400)], [status]);
      expect(seen.values).toMatchObject([{ outcome }]);
      expect([cancels, reads]).toEqual([[0], [0]]);
    });

    test.each<[string, Turn]>([
      ['running still', job('IN_PROGRESS')],
      ['not to be read', http(500)],
    ])('which is %s: repeats the cancel', (_, status) => {
      const { seen, cancels, reads, until } = settling([http(400), http(400), job('CANCELLED')], [status]);
      until(100_000);
      expect(seen.values).toMatchObject([{ outcome: 'cancelled' }]);
      expect([cancels, reads]).toEqual([
        [0, 1_000, 3_000],
        [0, 1_000],
      ]);
    });
  });

  describe('S4 onlyIfQueued', () => {
    test.each<[string, Turn, object, number]>([
      ['queued', job('IN_QUEUE'), { outcome: 'cancelled' }, 1],
      ['running', job('IN_PROGRESS'), { outcome: 'running', snapshot: { status: 'IN_PROGRESS' } }, 0],
      ['in a state that is not known', job('PAUSED'), { outcome: 'running' }, 0],
      ['completed', job('COMPLETED'), { outcome: 'finished', snapshot: { status: 'COMPLETED' } }, 0],
      ['cancelled', job('CANCELLED'), { outcome: 'cancelled' }, 0],
      ['gone', gone, { outcome: 'finished' }, 0],
    ])('a job that is %s', (_, status, settled, sent) => {
      const { seen, cancels, reads } = settling([job('CANCELLED')], [status], true);
      expect(seen.values).toMatchObject([settled]);
      expect([cancels.length, reads]).toEqual([sent, [0]]);
    });

    test('a read that fails is repeated, and so is a cancel, after another read', () => {
      const { seen, cancels, reads, until } = settling(
        [http(500), job('CANCELLED')],
        [broken, job('IN_QUEUE'), job('IN_PROGRESS')],
        true,
      );
      until(100_000);
      expect(seen.values).toMatchObject([{ outcome: 'running' }]);
      expect([reads, cancels]).toEqual([[0, 1_000, 3_000], [1_000]]);
    });
  });

  test('S13 unsubscribing stops the requests and every timer', () => {
    const { seen, cancels, until, scheduler } = settling([broken]);
    until(10_000);
    const sent = cancels.length;
    seen.subscription.unsubscribe();
    expect(scheduler.actions).toEqual([]);
    until(1_000_000);
    expect(cancels).toHaveLength(sent);
  });
});

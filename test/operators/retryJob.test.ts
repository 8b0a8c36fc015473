import { EMPTY, VirtualTimeScheduler, concat, defer, of, repeat, take, throwError, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { cancelOnUnsubscribe } from '../../src/operators/cancelOnUnsubscribe.js';
import { retryJob } from '../../src/operators/retryJob.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job, life } from '../fixtures/snapshots.js';
import { inTurn, noElements } from '../support/scripted.js';
import { cases, marbles } from '../support/marbles.js';

/** The failures of three attempts of one job. They differ in their `delayTime`, because each began later. */
const lives = {
  ...life,
  f: job('FAILED', { error: 'broken', delayTime: 5, executionTime: 10 }),
  g: job('FAILED', { error: 'broken', delayTime: 25, executionTime: 10 }),
  h: job('FAILED', { error: 'broken', delayTime: 45, executionTime: 10 }),
  /** `f` in the form of a webhook. */
  F: job('FAILED', { error: 'broken', delayTime: 5, executionTime: 10, input: {}, webhook: 'https://example.org' }),
};

type Snapshots = readonly [Observable<JobSnapshot>, ...Observable<JobSnapshot>[]];

/** A retrier with the given answers to `/retry` and the given snapshots after it. */
function retrying(answers: Snapshots, watches: Snapshots) {
  const ids: string[] = [];
  const [answer, watch] = [inTurn(...answers), inTurn(...watches)];
  const noted = (what: string, next: () => Observable<JobSnapshot>) => (id: string) => {
    ids.push(`${what} ${id}`);
    return next();
  };
  return { ids, retry: noted('retry', answer), watch: noted('watch', watch) };
}

describe('retryJob', () => {
  it(
    'runs a failed job again, and emits the answer to the retry instead of the failure',
    marbles((m) => {
      const source = m.cold('-q-f           ', lives);
      const answer = m.cold('   --(q|)      ', lives);
      const watch = m.cold('      -p-c|     ', lives);
      const expected = '     -q---qp-(c|)   ';
      const retrier = retrying([answer], [watch]);
      m.expect(source.pipe(retryJob(retrier))).toBeObservable(expected, lives);
      m.expect(source).toHaveSubscriptions('^--!');
      m.expect(answer).toHaveSubscriptions('---^-!');
      m.expect(watch).toHaveSubscriptions(' -----^--!');
      m.flush();
      expect(retrier.ids).toStrictEqual(['retry j', 'watch j']);
    }),
  );

  cases(
    'S1 retries FAILED and TIMED_OUT, and nothing else',
    (m, { given, expected, count, retries }) => {
      const retrier = retrying([of(life.q)], [m.cold('-c|', lives)]);
      const source = m.cold(given, lives);
      m.expect(source.pipe(retryJob(retrier, { count }))).toBeObservable(expected, lives);
      m.flush();
      expect(retrier.ids.filter((id) => id === 'retry j')).toHaveLength(retries);
    },
    {
      FAILED: { given: '-f|', expected: '-q(c|)', count: 1, retries: 1 },
      TIMED_OUT: { given: '-t|', expected: '-q(c|)', count: 1, retries: 1 },
      COMPLETED: { given: '-c|', expected: '-(c|)', count: 1, retries: 0 },
      CANCELLED: { given: '-x|', expected: '-(x|)', count: 1, retries: 0 },
      'a status that is not known': { given: '-u|', expected: '-u|', count: 1, retries: 0 },
      'a source that ends before the job': { given: '-p-|', expected: '-p-|', count: 1, retries: 0 },
      'never, with a count of 0': { given: '-f|', expected: '-(f|)', count: 0, retries: 0 },
    },
  );

  it(
    'S1 retries `count` times, then emits the failure',
    marbles((m) => {
      const source = m.cold('-f', lives);
      const second = m.cold(' -pg', lives);
      const third = m.cold('    -h', lives);
      const expected = '     -qpq(h|)';
      const retrier = retrying([of(life.q)], [second, third]);
      m.expect(source.pipe(retryJob(retrier, { count: 2 }))).toBeObservable(expected, lives);
      m.expect(second).toHaveSubscriptions('-^-!');
      m.expect(third).toHaveSubscriptions('---^!');
      m.flush();
      expect(retrier.ids).toStrictEqual(['retry j', 'watch j', 'retry j', 'watch j']);
    }),
  );

  it(
    'S1 retries once by default',
    marbles((m) => {
      const retrier = retrying([of(life.q)], [m.cold('-g', lives), m.cold('-h', lives)]);
      m.expect(m.cold('-f', lives).pipe(retryJob(retrier))).toBeObservable('-q(g|)', lives);
      m.flush();
      expect(retrier.ids).toStrictEqual(['retry j', 'watch j']);
    }),
  );

  it(
    'retries only the failures for which `when` returns true',
    marbles((m) => {
      const retrier = retrying([of(life.q)], [m.cold('-g', lives), m.cold('-c', lives)]);
      const seen: unknown[] = [];
      const when = (snapshot: JobSnapshot) => {
        seen.push(snapshot);
        return snapshot === lives.f;
      };
      m.expect(m.cold('-f', lives).pipe(retryJob(retrier, { count: 5, when }))).toBeObservable('-q(g|)', lives);
      m.flush();
      expect(seen).toStrictEqual([lives.f, lives.g]);
    }),
  );

  it(
    'waits for `delay` before each retry',
    marbles((m) => {
      const source = m.cold('-f', lives);
      const answer = m.cold('     -(q|)', lives);
      const watch = m.cold('       (c|)', lives);
      m.expect(source.pipe(retryJob(retrying([answer], [watch]), { delay: 4 }))).toBeObservable('------(qc|)', lives);
      m.expect(source).toHaveSubscriptions('^!');
      m.expect(answer).toHaveSubscriptions('-----^!');
    }),
  );

  it(
    'limits its delay to what a timer can keep',
    marbles((m) => {
      const retrier = retrying([of(life.q)], [of(life.c)]);
      const seen = m.cold('f', lives).pipe(retryJob(retrier, { delay: 2 ** 31 }));
      m.expect(seen).toBeObservable(`${2 ** 31 - 1}ms (qc|)`, lives);
    }),
  );

  describe('an earlier failure', () => {
    it(
      'S18 is not taken for a new failure just after the retry; the job is read again each second',
      marbles((m) => {
        const source = m.cold('f', lives);
        const old = m.cold('   -(f|)', lives);
        const webhook = m.cold('-(F|)', lives);
        const fresh = m.cold(' -p-c', lives);
        const retrier = retrying([of(life.q)], [old, webhook, fresh]);
        m.expect(source.pipe(retryJob(retrier))).toBeObservable('q 2002ms p-(c|)', lives);
        m.expect(old).toHaveSubscriptions('^!');
        m.expect(webhook).toHaveSubscriptions('1001ms ^!');
        m.expect(fresh).toHaveSubscriptions('2002ms ^--!');
        m.flush();
        expect(retrier.ids.filter((id) => id === 'retry j')).toHaveLength(1);
      }),
    );

    it(
      'S18 is recognised after the new run was seen, and after a second retry',
      marbles((m) => {
        const second = m.cold('-p-F', lives);
        const again = m.cold(' -pg', lives);
        const third = m.cold(' -p-f', lives);
        const last = m.cold('  -c', lives);
        const retrier = retrying([of(life.q)], [second, again, third, last]);
        const seen = m.cold('f', lives).pipe(retryJob(retrier, { count: 2 }));
        m.expect(seen).toBeObservable('qp 1002ms pqp 1002ms (c|)', lives);
        m.flush();
        expect(retrier.ids.filter((id) => id === 'retry j')).toHaveLength(2);
      }),
    );

    cases<{ earlier: Parameters<typeof job>; later: Parameters<typeof job>; same: boolean }>(
      'S18 is told from a new one',
      (m, { earlier, later, same }) => {
        const values = { e: job(...earlier), l: job(...later), q: life.q, c: life.c };
        const retrier = retrying([of(life.q)], [m.cold('-l', values), m.cold('-c', values)]);
        const seen = m.cold('e', values).pipe(retryJob(retrier));
        m.expect(seen).toBeObservable(same ? 'q 1001ms (c|)' : 'q(l|)', values);
      },
      {
        'the same': {
          earlier: ['FAILED', { error: 'e', delayTime: 1, executionTime: 2 }],
          later: ['FAILED', { error: 'e', delayTime: 1, executionTime: 2 }],
          same: true,
        },
        'by its status': { earlier: ['FAILED', {}], later: ['TIMED_OUT', {}], same: false },
        'by its error': { earlier: ['FAILED', { error: 'e' }], later: ['FAILED', { error: 'f' }], same: false },
        'by its delayTime': {
          earlier: ['FAILED', { error: 'e', delayTime: 1 }],
          later: ['FAILED', { error: 'e', delayTime: 2 }],
          same: false,
        },
        'by its executionTime': {
          earlier: ['TIMED_OUT', { executionTime: 1 }],
          later: ['TIMED_OUT', { executionTime: 2 }],
          same: false,
        },
        'not by what a webhook leaves out': {
          earlier: ['FAILED', { error: 'e', workerId: 'w' }],
          later: ['FAILED', { error: 'e' }],
          same: true,
        },
      },
    );

    it(
      'S18 counts as a new failure after 10 s',
      marbles((m) => {
        const retrier = retrying([of(life.q)], [m.cold('f', lives)]);
        m.expect(m.cold('f', lives).pipe(retryJob(retrier))).toBeObservable('q 9999ms (f|)', lives);
      }),
    );

    it(
      'S18 counts as a new failure `lag` after the answer to the retry, and is retried up to `count`',
      marbles((m) => {
        const answer = m.cold('-----(q|)', lives);
        const retrier = retrying([answer, throwError(() => 'refused')], [m.cold('f', lives)]);
        const seen = m.cold('f', lives).pipe(retryJob(retrier, { count: 2, lag: 3 }));
        m.expect(seen).toBeObservable('-----q 999ms #', lives, 'refused');
      }),
    );

    it(
      'S18 counts as a new failure at once with a lag of 0',
      marbles((m) => {
        const retrier = retrying([of(life.q)], [m.cold('-f', lives)]);
        m.expect(m.cold('f', lives).pipe(retryJob(retrier, { lag: 0 }))).toBeObservable('q(f|)', lives);
      }),
    );
  });

  cases(
    'S1 completes after an answer to the retry that is terminal, a failure as well',
    (m, { answer }) => {
      const retrier = retrying([of(answer)], [m.cold('-p', lives)]);
      m.expect(m.cold('-f', lives).pipe(retryJob(retrier, { count: 5 }))).toBeObservable('-(a|)', { a: answer });
      m.flush();
      expect(retrier.ids).toStrictEqual(['retry j']);
    },
    {
      COMPLETED: { answer: life.c },
      CANCELLED: { answer: life.x },
      'FAILED as before': { answer: lives.f },
      'FAILED otherwise': { answer: lives.g },
      TIMED_OUT: { answer: life.t },
    },
  );

  it(
    'S1 lets the error of a retry through, and does not repeat it',
    marbles((m) => {
      const answer = m.cold('--#', undefined, 'refused');
      const retrier = retrying([answer], [m.cold('-p', lives)]);
      m.expect(m.cold('-f', lives).pipe(retryJob(retrier, { count: 5 }))).toBeObservable('---#', lives, 'refused');
      m.expect(answer).toHaveSubscriptions('-^-!');
      m.flush();
      expect(retrier.ids).toStrictEqual(['retry j']);
    }),
  );

  it(
    'takes one answer to the retry, and errors where there is none',
    marbles((m) => {
      const answer = m.cold('q-p-p', lives);
      const retrier = retrying([answer], [m.cold('-c', lives)]);
      m.expect(m.cold('f', lives).pipe(retryJob(retrier))).toBeObservable('q(c|)', lives);
      m.expect(answer).toHaveSubscriptions('(^!)');
      const silent = retrying([EMPTY], [m.cold('-c', lives)]);
      m.expect(m.cold('f', lives).pipe(retryJob(silent))).toBeObservable('#', lives, noElements);
    }),
  );

  it(
    'errors as the source does, and as the watch after a retry does',
    marbles((m) => {
      const source = m.cold('-q--#', lives);
      m.expect(source.pipe(retryJob(retrying([of(life.q)], [EMPTY])))).toBeObservable('-q--#', lives);
      m.expect(source).toHaveSubscriptions('^---!');
      const watch = m.cold('-p-#', lives);
      m.expect(m.cold('f', lives).pipe(retryJob(retrying([of(life.q)], [watch])))).toBeObservable('qp-#', lives);
    }),
  );

  it(
    'completes as an empty source does, and as a watch that ends before the job does',
    marbles((m) => {
      const source = m.cold('--|');
      m.expect(source.pipe(retryJob(retrying([of(life.q)], [EMPTY])))).toBeObservable('--|');
      m.expect(source).toHaveSubscriptions('^-!');
      const watch = m.cold('-p-|', lives);
      m.expect(m.cold('f', lives).pipe(retryJob(retrying([of(life.q)], [watch])))).toBeObservable('qp-|', lives);
    }),
  );

  it(
    'never ends on a source that never ends',
    marbles((m) => {
      const source = m.cold('-q-', lives);
      m.expect(source.pipe(retryJob(retrying([of(life.q)], [EMPTY])))).toBeObservable('-q-', lives);
      m.expect(source).toHaveSubscriptions('^--');
    }),
  );

  it(
    'works on a synchronous source, and synchronous answers',
    marbles((m) => {
      const retrier = retrying([of(life.q)], [of(life.p, lives.g, life.p), of(life.c)]);
      const seen = of(life.q, lives.f, life.p).pipe(retryJob(retrier, { count: 2 }));
      m.expect(seen).toBeObservable('(qqpqc|)', lives);
    }),
  );

  cases<{
    options?: { when: () => never };
    retry?: () => Observable<JobSnapshot>;
    watch?: () => Observable<JobSnapshot>;
    expected: string;
  }>(
    'makes an error of what is thrown',
    (m, { options, retry, watch, expected }) => {
      const retrier = { retry: retry ?? (() => of(life.q)), watch: watch ?? (() => of(life.c)) };
      const source = m.cold('-f', lives);
      m.expect(source.pipe(retryJob(retrier, options))).toBeObservable(expected, lives, thrown);
      m.expect(source).toHaveSubscriptions('^!');
    },
    {
      'by when': { options: { when: throwing }, expected: '-#' },
      'by retry': { retry: throwing, expected: '-#' },
      'by watch': { watch: throwing, expected: '-(q#)' },
    },
  );

  it(
    'unsubscribes from the source, the delay, the retry, the watch, or the pause before it reads again',
    marbles((m) => {
      const source = m.cold('-f', lives);
      const answer = m.cold('--(q|)', lives);
      const watch = m.cold('-p-(f|)', lives);
      const retrier = () => retrying([answer], [watch]);
      m.expect(source.pipe(retryJob(retrier())), '!').toBeObservable('');
      m.expect(source.pipe(retryJob(retrier(), { delay: 9 })), '----!').toBeObservable('-----');
      m.expect(source.pipe(retryJob(retrier())), '--!').toBeObservable('---');
      m.expect(source.pipe(retryJob(retrier())), '-----!').toBeObservable('---qp-', lives);
      m.expect(source.pipe(retryJob(retrier())), '500ms !').toBeObservable('---qp-', lives);
      m.expect(source).toHaveSubscriptions(['(^!)', '^!', '^!', '^!', '^!']);
      m.expect(answer).toHaveSubscriptions(['-^!', '-^-!', '-^-!']);
      m.expect(watch).toHaveSubscriptions(['---^-!', '---^--!']);
    }),
  );

  it(
    'S1 does not watch a job where it is unsubscribed from at the answer to the retry',
    marbles((m) => {
      const retrier = retrying([of(life.q)], [of(life.c)]);
      m.expect(m.cold('-f', lives).pipe(retryJob(retrier), take(1))).toBeObservable('-(q|)', lives);
      m.flush();
      expect(retrier.ids).toStrictEqual(['retry j']);
    }),
  );

  it(
    'S1 subscribes to its source once, so that a submission in it is not repeated',
    marbles((m) => {
      let submitted = 0;
      const submission$ = defer(() => of(++submitted));
      const retrier = retrying([of(life.q)], [m.cold('-f', lives), m.cold('-g', lives), m.cold('-c', lives)]);
      const source = concat(submission$, m.cold('-f', lives)) as Observable<JobSnapshot>;
      m.expect(source.pipe(retryJob(retrier, { count: 3 }))).toBeObservable('nq 1001ms q(c|)', {
        ...lives,
        n: 1 as never,
      });
      m.flush();
      expect(submitted).toBe(1);
    }),
  );

  it(
    'starts afresh with each subscription',
    marbles((m) => {
      const source = m.cold('-f', lives);
      const retrier = retrying([of(life.q)], [m.cold('-c', lives)]);
      m.expect(source.pipe(retryJob(retrier), repeat(2))).toBeObservable('-qcq(c|)', lives);
      m.expect(source).toHaveSubscriptions(['^!', '--^!']);
    }),
  );

  it(
    'S4 lets cancelOnUnsubscribe cancel the new run',
    marbles((m) => {
      const retrier = retrying([of(life.q)], [m.cold('-p--', lives)]);
      const cancel = m.cold('(x|)', lives);
      const seen = m.cold('-f', lives).pipe(retryJob(retrier), cancelOnUnsubscribe({ cancel: () => cancel }));
      m.expect(seen, '---!').toBeObservable('-qp', lives);
      m.expect(cancel).toHaveSubscriptions('---(^!)');
    }),
  );

  it('S9 uses the given scheduler for all clocks and timers', () => {
    const scheduler = new VirtualTimeScheduler();
    const seen: unknown[] = [];
    const retrier = retrying([of(life.q)], [of(lives.f), of(life.c)]);
    of(lives.f)
      .pipe(retryJob(retrier, { delay: 500, scheduler }))
      .subscribe(({ status }) => seen.push([scheduler.now(), status]));
    scheduler.flush();
    expect(seen).toStrictEqual([
      [500, 'IN_QUEUE'],
      [1500, 'COMPLETED'],
    ]);
  });
});

const thrown = new Error('thrown');

function throwing(): never {
  throw thrown;
}

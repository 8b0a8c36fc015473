import { of, repeat } from 'rxjs';
import { describe, it } from 'vitest';
import { jobProgress } from '../../src/operators/jobProgress.js';
import { job, life } from '../fixtures/snapshots.js';
import { cases, marbles } from '../support/marbles.js';

const at = (output: unknown) => job('IN_PROGRESS', { output });

/** A snapshot whose progress throws when it is read. */
const trap = Object.defineProperty({ ...life.r }, 'progress', {
  enumerable: true,
  get: () => {
    throw new Error('no progress');
  },
});

describe('jobProgress', () => {
  it(
    'emits each update, completes when the job is over, and unsubscribes from the source',
    marbles((m) => {
      const source = m.hot('-q-p-a-b-c-a-|', { ...life, a: at(1), b: at(2) });
      const subs = '        ^--------!';
      const expected = '    -----a-b-|';
      m.expect(source.pipe(jobProgress())).toBeObservable(expected, { a: 1, b: 2 });
      m.expect(source).toHaveSubscriptions(subs);
    }),
  );

  cases(
    'S17 completes at each terminal state, and takes no output for progress',
    (m, { end }) => {
      const source = m.cold('-a-e-b-|', { a: at(1), e: end, b: at(2) });
      m.expect(source.pipe(jobProgress())).toBeObservable('-a-|', { a: 1 });
      m.expect(source).toHaveSubscriptions('               ^--!');
    },
    {
      COMPLETED: { end: life.c },
      'FAILED, which is no error': { end: life.f },
      'FAILED with an output': { end: job('FAILED', { error: 'broken', output: { code: 1 } }) },
      CANCELLED: { end: life.x },
      TIMED_OUT: { end: life.t },
    },
  );

  cases(
    'compares updates in depth',
    (m, { a, b, expected }) => {
      const source = m.cold('ab|', { a: at(a), b: at(b) });
      m.expect(source.pipe(jobProgress())).toBeObservable(expected, { a, b });
    },
    {
      'by their values': { a: 1, b: 2, expected: 'ab|' },
      'deep inside': { a: { steps: [{ n: 1 }] }, b: { steps: [{ n: 2 }] }, expected: 'ab|' },
      'but not by identity': { a: { steps: [{ n: 1 }] }, b: { steps: [{ n: 1 }] }, expected: 'a-|' },
      'but not by the order of keys': { a: { n: 1, of: 2 }, b: { of: 2, n: 1 }, expected: 'a-|' },
      'with null as one': { a: 1, b: null, expected: 'ab|' },
      'with 0 as one': { a: null, b: 0, expected: 'ab|' },
      'with an empty text as one': { a: 0, b: '', expected: 'ab|' },
    },
  );

  it(
    'does not repeat an update after a snapshot without one, nor when only other fields differ',
    marbles((m) => {
      const again = job('IN_PROGRESS', { output: 'half', retries: 1 });
      const source = m.cold('rpqra-|', { ...life, a: again });
      m.expect(source.pipe(jobProgress())).toBeObservable('r-----|', { r: 'half' });
    }),
  );

  it(
    'emits the progress of a job with an unknown status',
    marbles((m) => {
      const source = m.cold('-u-|', { u: job('SOMETHING_NEW', { output: 'half' }) });
      m.expect(source.pipe(jobProgress())).toBeObservable('-u-|', { u: 'half' });
    }),
  );

  it(
    'errors as the source does',
    marbles((m) => {
      const source = m.cold('-r--#', life);
      m.expect(source.pipe(jobProgress())).toBeObservable('-r--#', { r: 'half' });
      m.expect(source).toHaveSubscriptions('               ^---!');
    }),
  );

  it(
    'completes as an empty source does',
    marbles((m) => {
      const source = m.cold('--|');
      m.expect(source.pipe(jobProgress())).toBeObservable('--|');
      m.expect(source).toHaveSubscriptions('               ^-!');
    }),
  );

  it(
    'never ends on a source that never ends',
    marbles((m) => {
      const source = m.cold('-p-', life);
      m.expect(source.pipe(jobProgress())).toBeObservable('---');
      m.expect(m.cold('-r-', life).pipe(jobProgress())).toBeObservable('-r-', { r: 'half' });
    }),
  );

  it(
    'works on a synchronous source',
    marbles((m) => {
      m.expect(of(life.q, life.r, life.c, at('late')).pipe(jobProgress())).toBeObservable('(r|)', { r: 'half' });
    }),
  );

  it(
    'turns an exception while it reads a snapshot into an error',
    marbles((m) => {
      const source = m.cold('-q-x--|', { q: life.q, x: trap });
      m.expect(source.pipe(jobProgress())).toBeObservable('---#', undefined, new Error('no progress'));
      m.expect(source).toHaveSubscriptions('               ^--!');
    }),
  );

  it(
    'unsubscribes from the source when it is unsubscribed from',
    marbles((m) => {
      const source = m.hot('-r-p-c', life);
      const unsub = '       ^---!';
      m.expect(source.pipe(jobProgress()), unsub).toBeObservable('-r---', { r: 'half' });
      m.expect(source).toHaveSubscriptions(unsub);
    }),
  );

  it(
    'starts afresh with each subscription',
    marbles((m) => {
      const source = m.cold('-r-|', life);
      m.expect(source.pipe(jobProgress(), repeat(2))).toBeObservable('-r--r-|', { r: 'half' });
      m.expect(source).toHaveSubscriptions(['^--!', '---^--!']);
    }),
  );
});

import { Subject } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { vouchedNotice, type Follows } from 'runpod-rx';
import { timers } from '../job/support.js';
import { script, statuses } from '../support/world.js';

/** A service that says of each job what the test last set, and holds answers for 25 s; a client that listens to notices. */
const service = (latency = 0) => {
  let jobs = 0;
  const said = new Map<string, object>();
  const notices$ = new Subject<unknown>();
  const made = script(
    ({ operation, url }) => {
      const id = operation === 'run' ? `job-${++jobs}` : url.replace(/^.*\/|\?.*$/g, '');
      const body = { id, status: 'IN_PROGRESS', ...said.get(id) };
      return { body, after: operation === 'status-sync' && body.status !== 'COMPLETED' ? 25_000 : latency };
    },
    { notices: notices$ },
  );
  const asked = () =>
    made.sent
      .filter(({ operation }) => operation.startsWith('status'))
      .map(({ operation, at }) => `${operation} ${at}`);
  const tell = (job: object | undefined, follows?: Follows) => {
    notices$.next(vouchedNotice(job && { id: 'job-1', status: 'IN_PROGRESS', ...job }, follows && { follows }));
  };
  return { ...made, notices$, said, asked, tell };
};

const request = { input: { x: 1 } };

describe('S26 a state that a notice vouches for', () => {
  test('reaches all views at once, without a read, which comes when it was due', () => {
    const { endpoint, see, until, asked, tell } = service();
    const seen = see(endpoint.watch('job-1', { every: 10_000 }));
    const job = endpoint.attach('job-1');
    const [state, progress] = [see(job.state$), see(job.progress$)];
    until(100);
    tell({ output: 'half' });
    expect(seen.values).toHaveLength(2);
    expect(state.values.at(-1)).toMatchObject({ progress: 'half' });
    expect(progress).toMatchObject({ values: ['half'], at: [100] });
    const before = asked().length;
    until(400);
    expect(asked()).toHaveLength(before);
    until(11_000);
    expect(asked()).toContain('status 500');
  });

  test('tells that a queued job runs, which is then held', () => {
    const { endpoint, see, until, asked, said, tell } = service();
    said.set('job-1', { status: 'IN_QUEUE' });
    see(endpoint.runToEnd(request));
    until(400);
    tell({});
    until(20_000);
    expect(asked()).toEqual(['status-sync 400']);
  });

  test('never goes back from the end', () => {
    const { endpoint, see, until, tell } = service();
    const seen = see(endpoint.attach('job-1').state$);
    until(1_000);
    tell({ status: 'COMPLETED', output: 1 });
    tell({ output: 'half' });
    until(100_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'COMPLETED']);
  });

  test('that comes late does not go to those who read a job that is over', () => {
    const { endpoint, see, until, said, tell } = service(200);
    said.set('job-1', { status: 'COMPLETED', output: 1 });
    see(endpoint.watch('job-1'));
    until(1_000);
    const seen = see(endpoint.watch('job-1'));
    until(1_100);
    tell({ output: 'half' });
    until(2_000);
    expect(statuses(seen)).toEqual(['COMPLETED']);
  });

  test('counts more than the answer of a plain read that is in flight', () => {
    const { endpoint, see, until, said, tell } = service(200);
    said.set('job-1', { status: 'IN_QUEUE' });
    const seen = see(endpoint.watch('job-1', { every: 1_000 }));
    until(1_300);
    const once = see(endpoint.status('job-1'));
    tell({ output: 'half' });
    until(1_500);
    expect(statuses(seen)).toEqual(['IN_QUEUE', 'IN_PROGRESS']);
    expect(once.values).toMatchObject([{ status: 'IN_PROGRESS', progress: 'half' }]);
  });

  test('does not take the end from a plain read that is in flight', () => {
    const { endpoint, see, until, said, tell } = service(200);
    said.set('job-1', { status: 'COMPLETED', output: 1 });
    const seen = see(endpoint.watch('job-1', { every: 1_000 }));
    until(100);
    tell({});
    until(1_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'COMPLETED']);
  });

  test('comes at any rate: the job is read as often as without', () => {
    const { endpoint, see, until, asked, tell, at } = service();
    see(endpoint.watch('job-1'));
    for (let time = 50; time < 10_000; time += 50)
      at(time, () => {
        tell({ output: time });
      });
    until(10_000);
    expect(asked().length).toBeGreaterThan(5);
  });

  test('feeds no execution times', () => {
    const { endpoint, see, until, asked, tell } = service();
    for (let nth = 1; nth <= 3; nth++) {
      see(endpoint.runToEnd(request, { longPoll: false }));
      tell({ id: `job-${nth}`, executionTime: 60_000 });
    }
    until(3_000);
    // By the default pace.
    expect(asked().length).toBeGreaterThan(6);
  });

  test.each([
    ['of a job that was run again', { id: 'job-1' }],
    ['that this version does not know', { status: 'PONDERING' }],
  ])('%s is a hint', (title, job) => {
    const { endpoint, see, until, asked, tell } = service();
    const seen = see(endpoint.watch('job-1', { every: 100_000 }));
    until(1_000);
    if (title.includes('again')) see(endpoint.retry('job-1'));
    until(10_000);
    const before = asked().length;
    tell({ output: 'half', ...job });
    until(10_100);
    expect(asked().slice(before)).toEqual(['status 10000']);
    expect(statuses(seen)).toEqual(['IN_PROGRESS']);
  });
});

describe('S26 a job that the source of notices follows', () => {
  test.each<[string, Follows]>([
    ['to its end is read each half a minute where nothing else is of interest, and its held read is given up', 'end'],
    ['with all changes is, too', 'changes'],
  ])('%s', (_, follows) => {
    const { endpoint, see, until, asked, tell, sent } = service();
    see(endpoint.runToEnd(request));
    until(10_000);
    expect(asked()).toEqual(['status-sync 0']);
    tell({}, follows);
    expect(sent.at(-1)).toMatchObject({ operation: 'status-sync', aborted: 10_000 });
    until(95_000);
    expect(asked()).toEqual(['status-sync 0', 'status 30000', 'status 60000', 'status 90000']);
  });

  test('to its end is read as ever where its changes are of interest', () => {
    const { endpoint, see, until, asked, tell } = service();
    see(endpoint.watch('job-1'));
    until(100);
    tell({}, 'end');
    until(10_000);
    expect(asked().length).toBeGreaterThan(5);
    tell({}, 'changes');
    const before = asked().length;
    until(35_000);
    expect(asked()).toHaveLength(before);
  });

  test('is read at its own pace where it has one', () => {
    const { endpoint, see, until, asked, tell } = service();
    see(endpoint.watch('job-1', { every: 1_000 }));
    tell({}, 'changes');
    until(5_500);
    expect(asked()).toHaveLength(6);
  });

  test('is not probed while it is queued, and neither are the others', () => {
    const { endpoint, see, until, asked, said, tell } = service();
    for (const id of ['job-1', 'job-2', 'job-3']) {
      said.set(id, { status: 'IN_QUEUE' });
      see(endpoint.runToEnd(request));
    }
    until(100);
    for (const id of ['job-1', 'job-2', 'job-3']) tell({ id, status: 'IN_QUEUE' }, 'end');
    until(29_000);
    expect(asked()).toEqual([]);
    until(59_000);
    expect(asked()).toHaveLength(3);
    tell({ id: 'job-2', status: 'IN_PROGRESS' });
    tell({ id: 'job-2', status: 'COMPLETED' });
    until(59_900);
    expect(asked()).toHaveLength(3);
  });

  test('before its submission is answered is not read from the first moment on', () => {
    const { endpoint, see, until, asked, tell } = service();
    // Notices are listened to while some job is watched.
    see(endpoint.watch('other', { every: 1_000_000 }));
    tell({}, 'end');
    see(endpoint.runToEnd(request));
    until(29_000);
    expect(asked()).toEqual(['status 0']);
  });

  test('has ended by a notice, and says nothing about the others', () => {
    const { endpoint, see, until, asked, tell, scheduler } = service();
    for (let nth = 1; nth <= 9; nth++) {
      const seen = see(endpoint.runToEnd(request));
      tell({ id: `job-${nth}` }, 'end');
      tell({ id: `job-${nth}`, status: 'COMPLETED' });
      expect(seen.ended).toBe(0);
    }
    expect(timers({ scheduler })).toBe(0);
    see(endpoint.runToEnd(request));
    until(1_000);
    expect(asked().slice(-1)).toEqual(['status-sync 0']);
  });

  test.each<[string, (made: ReturnType<typeof service>) => void]>([
    [
      'of this job',
      ({ tell }) => {
        tell({}, 'nothing');
      },
    ],
    [
      'of all jobs',
      ({ tell }) => {
        tell(undefined, 'nothing');
      },
    ],
    [
      'since it has ended',
      ({ notices$ }) => {
        notices$.complete();
      },
    ],
    [
      'since it has failed',
      ({ notices$ }) => {
        notices$.error(new Error('gone'));
      },
    ],
  ])('is read soon, and held as ever, when the source takes that back, %s', (_, take) => {
    const made = service();
    const { endpoint, see, until, asked, tell } = made;
    see(endpoint.runToEnd(request));
    tell({}, 'end');
    until(10_000);
    take(made);
    until(20_000);
    expect(asked()).toEqual(['status 10000', 'status-sync 10000']);
  });

  test('is probed again where it is queued when the source takes that back', () => {
    const { endpoint, see, until, asked, said, tell } = service();
    for (const id of ['job-1', 'job-2', 'job-3']) {
      said.set(id, { status: 'IN_QUEUE' });
      see(endpoint.runToEnd(request));
      tell({ id, status: 'IN_QUEUE' }, 'end');
    }
    until(10_000);
    tell(undefined, 'nothing');
    until(10_900);
    expect(asked()).toEqual([]);
    until(13_000);
    expect(asked()).toContain('status 11000');
  });

  test('is followed no longer once no job is in use: nobody listens then', () => {
    const { endpoint, see, until, asked, tell } = service();
    const seen = see(endpoint.watchToEnd('job-1'));
    tell({}, 'end');
    seen.subscription.unsubscribe();
    until(10_000);
    see(endpoint.watchToEnd('job-1'));
    until(20_000);
    expect(asked().slice(1)).toEqual(['status 10000', 'status-sync 10000']);
  });

  test('is not, when it is run again after its end', () => {
    const { endpoint, see, until, asked, tell } = service();
    // Notices are listened to all the time.
    see(endpoint.watch('other', { every: 1_000_000 }));
    see(endpoint.runToEnd(request));
    tell({}, 'end');
    tell({ status: 'COMPLETED' });
    see(endpoint.retry('job-1'));
    see(endpoint.watchToEnd('job-1'));
    until(1_000);
    expect(asked().slice(1)).toEqual(['status 0', 'status-sync 0']);
  });

  test('counts as read where its reads fail and a notice comes: they do not go on failing until that is an error', () => {
    const notices$ = new Subject<unknown>();
    const made = script(
      ({ operation }) => (operation === 'run' ? { body: { id: 'job-1', status: 'IN_PROGRESS' } } : { status: 503 }),
      { notices: notices$, retry: false },
    );
    const seen = made.see(made.endpoint.runToEnd(request, { outage: 10_000, longPoll: false }));
    made.until(5_000);
    const before = made.sent.length;
    expect(before).toBeGreaterThan(1);
    notices$.next(vouchedNotice({ id: 'job-1', status: 'IN_PROGRESS' }, { follows: 'end' }));
    made.until(29_000);
    expect(made.sent).toHaveLength(before);
    notices$.next(vouchedNotice({ id: 'job-1', status: 'COMPLETED' }));
    expect(seen.error).toBeUndefined();
    expect(statuses(seen).at(-1)).toBe('COMPLETED');
  });
});

import type { Observable } from 'rxjs';
import { Subject, of } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { vouchedNotice } from 'runpod-rx';
import { EarlyEnds } from '../../src/polling/EarlyEnds.js';
import { clock, script, statuses } from '../support/world.js';

const idOf = (url: string) => /[^/?]+(?=$|\?)/.exec(new URL(url).pathname)![0];

/** A service whose jobs run for ever; the answer to a submission takes a second. Another job is watched all the time. */
const service = (notices: Observable<unknown> & { next?: (notice: unknown) => void } = new Subject()) => {
  let jobs = 0;
  const made = script(
    ({ operation, url }) => {
      const id = operation === 'run' ? `job-${++jobs}` : idOf(url);
      const after = operation === 'status-sync' ? 25_000 : 0;
      return { body: { id, status: 'IN_PROGRESS' }, after: operation === 'run' ? 1_000 : after };
    },
    { notices },
  );
  made.see(made.endpoint.watch('other', { every: 1_000_000 }));
  const reads = (id: string) =>
    made.sent.filter(({ url, operation }) => operation !== 'run' && idOf(url) === id).length;
  return { ...made, reads, tell: (notice: unknown) => notices.next?.(notice) };
};

const request = { input: { x: 1 } };
const url = 'https://example.com/hook?key=a&token=t';
const ended = (id = 'job-1', more: object = {}) => ({ id, status: 'COMPLETED', output: 'done', ...more });

describe('S26 an end that is vouched for before anybody uses its job', () => {
  test('ends the job once its submission is answered, without a read', () => {
    const { endpoint, see, until, tell, reads } = service();
    const job = see(endpoint.job(request).output$);
    const call = see(endpoint.runToEnd(request));
    until(500);
    for (const id of ['job-1', 'job-2']) tell(vouchedNotice(ended(id)));
    until(999);
    expect([job.values, call.values]).toEqual([[], []]);
    until(60_000);
    expect(job).toMatchObject({ values: ['done'], ended: 1_000 });
    expect(statuses(call)).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(call.ended).toBe(1_000);
    expect(reads('job-1') + reads('job-2')).toBe(0);
  });

  test('ends a job that is attached to within two minutes, and no later', () => {
    const { endpoint, see, until, tell, reads } = service();
    for (const id of ['soon', 'late']) tell(vouchedNotice(ended(id)));
    until(120_000);
    expect(see(endpoint.attach('soon').output$)).toMatchObject({ values: ['done'], ended: 120_000 });
    until(120_001);
    expect(see(endpoint.attach('late').output$)).toMatchObject({ values: [] });
    until(121_000);
    expect(reads('soon')).toBe(0);
    expect(reads('late')).toBeGreaterThan(0);
  });

  test('ends a job that is known, and that nobody watches yet', () => {
    const { endpoint, see, until, tell, reads } = service();
    see(endpoint.run(request));
    until(1_000);
    tell(vouchedNotice(ended()));
    until(2_000);
    expect(see(endpoint.watch('job-1'))).toMatchObject({ values: [ended()].map((one) => ({ status: one.status })) });
    expect(reads('job-1')).toBe(0);
  });

  test('is told once: whoever comes later reads', () => {
    const { endpoint, see, until, tell, reads } = service();
    tell(vouchedNotice(ended()));
    see(endpoint.watch('job-1'));
    expect(reads('job-1')).toBe(0);
    see(endpoint.watch('job-1'));
    until(10);
    expect(reads('job-1')).toBe(1);
  });

  test('is of no account where the job was run again meanwhile', () => {
    const { endpoint, see, until, tell } = service();
    tell(vouchedNotice(ended()));
    see(endpoint.retry('job-1'));
    until(1_000);
    const seen = see(endpoint.watch('job-1', { every: 1_000_000 }));
    until(5_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS']);
  });

  test('comes before a read where the source gives it at once to who subscribes', () => {
    const { endpoint, see, reads } = service(of(vouchedNotice(ended())));
    expect(see(endpoint.attach('job-1').output$)).toMatchObject({ values: ['done'] });
    expect(reads('job-1')).toBe(0);
  });

  test('suppresses no cancel of a job that it does not belong to', () => {
    const { endpoint, see, until, tell, sent } = service();
    const seen = see(endpoint.job({ ...request, webhook: url }).output$);
    tell(vouchedNotice(ended(), { webhook: `${url}x` }));
    until(2_000);
    tell(vouchedNotice(ended(), { webhook: `${url}x` }));
    seen.subscription.unsubscribe();
    until(3_000);
    expect(seen.values).toEqual([]);
    expect(sent.some(({ operation }) => operation === 'cancel')).toBe(true);
  });
});

describe('S26 a notice that is vouched for by the URL of a webhook', () => {
  test.each([500, 2_000])('ends the job that was submitted with this URL, told at %d ms', (at) => {
    const { endpoint, see, until, tell } = service();
    const seen = see(endpoint.runToEnd({ ...request, webhook: url }));
    until(at);
    tell(vouchedNotice(ended(), { webhook: url }));
    until(60_000);
    expect(statuses(seen)).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(seen.ended).toBe(Math.max(at, 1_000));
  });

  test.each([500, 2_000])('is a hint for any other, told at %d ms', (at) => {
    const { endpoint, see, until, tell } = service();
    const others = [
      see(endpoint.runToEnd({ ...request, webhook: 'https://example.com/hook?key=b&token=u' })),
      see(endpoint.runToEnd(request)),
      see(endpoint.attach('attached').output$),
    ];
    until(at);
    for (const id of ['job-1', 'job-2', 'attached']) tell(vouchedNotice(ended(id), { webhook: url }));
    until(60_000);
    expect(others.map(({ ended: at }) => at)).toEqual([undefined, undefined, undefined]);
  });

  test('does not take the place of the one that belongs to the job, before or after it', () => {
    const { endpoint, see, until, tell } = service();
    const seen = see(endpoint.runToEnd({ ...request, webhook: url }));
    until(500);
    tell(vouchedNotice(ended('job-1', { output: 'forged' }), { webhook: `${url}x` }));
    tell(vouchedNotice(ended(), { webhook: url }));
    tell(vouchedNotice(ended('job-1', { output: 'forged' }), { webhook: `${url}y` }));
    until(60_000);
    expect(seen.values.at(-1)).toMatchObject({ output: 'done' });
  });
});

describe('S26 what is kept of early ends is bounded', () => {
  const keeping = () => {
    const { scheduler, until } = clock();
    const ends = new EarlyEnds(scheduler);
    const keep = (id: string, body: Record<string, unknown>) => ends.keep(id, { body, webhook: undefined });
    return { ends, until, keep, has: (id: string) => ends.take(id, undefined) !== undefined };
  };

  test('in number: the newest thousand', () => {
    const { keep, has } = keeping();
    for (let nth = 0; nth <= 1_000; nth++) keep(`job-${nth}`, {});
    expect(['job-0', 'job-1', 'job-1000'].map(has)).toEqual([false, true, true]);
  });

  test('in size: 64 MiB of text and members, the newest', () => {
    const { keep, has } = keeping();
    const text = 'x'.repeat(20 * 1024 * 1024);
    for (const id of ['a', 'b', 'c', 'd']) keep(id, { output: { image: text } });
    keep('numbers', { output: new Array(1_000_000).fill(1) });
    expect(['a', 'b', 'c', 'd', 'numbers'].map(has)).toEqual([false, false, true, true, true]);
    keep('huge', { output: [text, text, text, text] });
    expect(has('huge')).toBe(false);
  });

  test('in time, and what was taken makes room', () => {
    const { keep, has, until } = keeping();
    const text = 'x'.repeat(40 * 1024 * 1024);
    keep('a', { output: text });
    expect(has('a')).toBe(true);
    keep('b', { output: text });
    until(120_001);
    keep('c', { output: text });
    expect([has('b'), has('c')]).toEqual([false, true]);
  });

  test.each<[string, () => Record<string, unknown>]>([
    [
      'a value that holds itself',
      () => {
        const body: Record<string, unknown> = {};
        return Object.assign(body, { a: body, b: body });
      },
    ],
    [
      'a member that throws',
      () =>
        Object.defineProperty({}, 'output', {
          enumerable: true,
          get: () => {
            throw new Error('no');
          },
        }),
    ],
  ])('%s is not kept', (_, make) => {
    const { keep, has } = keeping();
    keep('a', make());
    expect(has('a')).toBe(false);
  });
});

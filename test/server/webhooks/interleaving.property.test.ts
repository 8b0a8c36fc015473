import fc from 'fast-check';
import { defer, of } from 'rxjs';
import { expect, test } from 'vitest';
import { createWebhooks } from 'runpod-rx/server';
import { script } from '../../support/world.js';
import { seed } from '../../support/seed.js';
import { ended, secret, url } from './support.js';

const END = 5_000;
const jobs = ['job-a', 'job-b'] as const;

/** What is posted, by the service or by somebody who knows the URL of job a, and no other. */
const post = fc.record({
  at: fc.integer({ min: 0, max: 20_000 }),
  kind: fc.constantFrom('real a', 'real b', 'a as b', 'no token', 'wrong token', 'a as nobody', 'a that runs'),
});

const plan = fc.record({
  posts: fc.array(post, { maxLength: 12 }),
  /** How long the answers to the submissions take. */
  answers: fc.tuple(fc.integer({ min: 0, max: 15_000 }), fc.integer({ min: 0, max: 15_000 })),
  /** Whether other jobs are watched, and whether the caller tells of his jobs. */
  listening: fc.boolean(),
  telling: fc.boolean(),
  every: fc.constantFrom(undefined, 4_000),
});

test('S26 whatever is posted in whatever order, job b gives its own output, once', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ posts, answers, listening, telling, every }) => {
      let submitted = 0;
      const made = script(
        ({ operation, url: target }) => {
          if (operation === 'run') {
            const nth = submitted++;
            return { body: { id: jobs[nth], status: 'IN_QUEUE' }, after: answers[nth]! };
          }
          const id = /job-[ab]|other/.exec(target)![0];
          const over = id !== 'other' && made.scheduler.now() >= END;
          return { body: over ? ended(id, { output: id }) : { id, status: 'IN_PROGRESS' }, after: 10 };
        },
        { notices: defer(() => webhooks.notices) },
      );
      const webhooks = createWebhooks({ url, secret, scheduler: made.scheduler });
      if (listening) made.see(made.endpoint.watch('other', { every: 1_000_000 }));
      const urlOf = (key: string) => webhooks.sign({ input: { x: 1 } }, key).webhook!;
      const views = ['a', 'b'].map((key) => {
        const beforeSubmit = (request: { input: Record<string, unknown> }) => of(webhooks.sign(request, key));
        const job = made.endpoint.job({ input: { x: 1 } }, { beforeSubmit, ...(every && { every }) });
        if (telling) job.id$.subscribe((id) => webhooks.submitted(key, id));
        return made.see(job.output$);
      });
      const resolved = made.see(webhooks.resolved$).values;
      for (const { at, kind } of [...posts].sort((one, other) => one.at - other.at)) {
        // The service tells of an end after it.
        made.until(Math.max(made.scheduler.now(), kind.startsWith('real') ? Math.max(END, at) : at));
        const forged = (id: string) => ended(id, { output: 'forged' });
        const [target, body] = {
          'real a': [urlOf('a'), ended('job-a', { output: 'job-a' })] as const,
          'real b': [urlOf('b'), ended('job-b', { output: 'job-b' })] as const,
          'a as b': [urlOf('a'), forged('job-b')] as const,
          'no token': [url, forged('job-b')] as const,
          'wrong token': [urlOf('b').slice(0, -1), forged('job-b')] as const,
          'a as nobody': [urlOf('a'), forged('nobody')] as const,
          'a that runs': [urlOf('a'), { id: 'job-b', status: 'IN_PROGRESS', output: 'forged' }] as const,
        }[kind];
        await webhooks.handle(new Request(target, { method: 'POST', body: JSON.stringify(body) }));
      }
      made.until(made.scheduler.now() + 60_000);
      expect(views.map(({ values }) => values)).toEqual([['job-a'], ['job-b']]);
      expect(submitted).toBe(2);
      expect(made.sent.filter(({ operation }) => operation === 'cancel')).toEqual([]);
      expect(resolved.filter(({ key }) => key === 'b').length).toBeLessThan(2);
    }),
    { seed, numRuns: 300 },
  );
});

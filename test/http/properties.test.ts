import fc from 'fast-check';
import { VirtualTimeScheduler, map } from 'rxjs';
import { expect, test } from 'vitest';
import { createRunpod, isRunpodError } from 'runpod-rx';
import type { JobSnapshot, Limits } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import type { JobRecord } from 'runpod-rx/testing';
import { seed } from '../support/seed.js';

const ms = (max: number) => fc.integer({ min: 0, max });

/** One subscriber: what it calls and when, and when it leaves, if it does. */
const subscriber = fc.record({
  call: fc.constantFrom('run', 'runSync'),
  at: ms(20_000),
  /** By unsubscribing, or by a timeout. */
  leaves: fc.option(fc.record({ after: ms(15_000), how: fc.constantFrom('unsubscribe', 'timeout', 'signal') })),
  takes: fc.oneof(ms(100), ms(30_000)),
  wait: fc.constantFrom(1_000, 5_000, 90_000),
});

/** What goes wrong with submissions, and so may lose an answer, and what goes wrong with the rest. */
const faults = fc.record({
  'empty-429': fc.constantFrom(0, 0.1, 0.3),
  'connection-refused': fc.constantFrom(0, 0.1),
  'reset-before': fc.constantFrom(0, 0.05),
  'reset-after': fc.constantFrom(0, 0.1),
  'empty-502': fc.constantFrom(0, 0.1),
  'truncated-answer': fc.constantFrom(0, 0.05),
  'bare-error': fc.constantFrom(0, 0.05),
  'no-answer': fc.constantFrom(0, 0.05),
  'slow-answer': fc.constantFrom(0, 0.1),
  'transient-404': fc.constantFrom(0, 0.3),
});

const limits = fc.constantFrom<'documented' | Limits>('documented', {
  run: { requests: 2, per: 3_000, concurrent: 1 },
  runsync: { requests: 4, per: 3_000, concurrent: 2 },
  cancel: { requests: 2, per: 1_000, concurrent: 1 },
});

const over = ({ status }: JobRecord) => status !== 'IN_QUEUE' && status !== 'IN_PROGRESS';

test(
  'S1 S4 S5 S6 no call is paid twice, and no job that was left goes on unless its answer was lost',
  { timeout: 120_000 },
  () => {
    const seenOf = { left: 0, unsent: 0, cancelled: 0, unknown: 0, kept: 0 };
    fc.assert(
      fc.property(
        fc.array(subscriber, { minLength: 1, maxLength: 6 }),
        faults,
        limits,
        fc.integer({ min: 1, max: 1e6 }),
        fc.constantFrom(0, 300, 4_000),
        (subscribers, chances, bounds, seed, latency) => {
          const scheduler = new VirtualTimeScheduler();
          let state = seed;
          const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
          const emulator = createEmulator({
            endpoints: {
              demo: { handler: ({ input }, { delay }) => delay(Number(input.takes)).pipe(map(() => 1)), workers: 2 },
            },
            faults: chances,
            limits: bounds,
            seed,
            latency: () => Math.floor(random() * latency),
            scheduler,
          });
          const client = createRunpod({
            transport: emulator.transport,
            scheduler,
            random,
            apiKey: 'key',
            limits: bounds,
          });
          const endpoint = client.endpoint('demo');

          const calls = subscribers.map(({ call, at, leaves, takes, wait }, nth) => {
            const outcome: { left: boolean; error?: unknown; last?: JobSnapshot } = { left: false };
            const controller = new AbortController();
            const limit = {
              ...(leaves?.how === 'timeout' && { timeout: leaves.after }),
              ...(leaves?.how === 'signal' && { signal: controller.signal }),
            };
            scheduler.schedule(() => {
              const request = { input: { nth, takes } };
              const call$ =
                call === 'run' ? endpoint.run(request, limit) : endpoint.runSync(request, { wait, ...limit });
              const subscription = call$.subscribe({
                next: (snapshot) => (outcome.last = snapshot),
                error: (error: unknown) => {
                  outcome.error = error;
                  outcome.left = isRunpodError(error) && leaving(error, leaves?.after);
                },
              });
              if (leaves && leaves.how !== 'timeout')
                scheduler.schedule(() => {
                  if (leaves.how === 'signal') controller.abort();
                  else if (!subscription.closed) {
                    outcome.left = true;
                    subscription.unsubscribe();
                  }
                }, leaves.after);
            }, at);
            return outcome;
          });
          let report: readonly { readonly id: string }[] | undefined;
          scheduler.maxFrames = 3_600_000;
          scheduler.flush();
          client.settled().subscribe(({ cancelled, finished, abandoned }) => {
            report = [...cancelled, ...finished, ...abandoned];
            expect(abandoned).toEqual([]);
          });
          expect(report).toBeDefined();
          // Nothing is left to happen.
          expect(emulator.requests().filter(({ endedAt }) => endedAt === undefined)).toEqual([]);

          const jobs = emulator.jobs();
          const submissions = emulator.requests().filter(({ operation }) => operation?.startsWith('run'));
          calls.forEach(({ left, error, last }, nth) => {
            const mine = jobs.filter(({ input }) => (input as { nth: number }).nth === nth);
            // Paid once at the most, whatever happened.
            expect(mine.length).toBeLessThanOrEqual(1);
            const [job] = mine;
            const sent = job && submissions.find(({ jobId }) => jobId === job.id)!;
            // The answer came, and could be read.
            const known = sent?.status === 200 && sent.fault !== 'truncated-answer' && sent.fault !== 'bare-error';
            if (left) {
              seenOf.left++;
              if (!job) seenOf.unsent++;
              if (job?.cancelRequests) seenOf.cancelled++;
              if (job && known) {
                expect(over(job)).toBe(true);
                // Cancelled, or over by itself before anyone could: the client knows which.
                if (job.status !== 'COMPLETED') expect(report!.map(({ id }) => id)).toContain(job.id);
              }
            } else if (error) {
              seenOf.unknown++;
              // "no" means no.
              if ((error as { accepted?: string }).accepted === 'no') expect(job).toBeUndefined();
            } else {
              seenOf.kept++;
              expect(last).toBeDefined();
              expect(job).toMatchObject({ cancelRequests: 0, id: last!.id });
              // What was not left ran to its end, undisturbed.
              expect(job!.status).toBe('COMPLETED');
            }
          });
        },
      ),
      { seed, numRuns: 300 },
    );
    // The runs did meet what they are about.
    for (const count of Object.values(seenOf)) expect(count).toBeGreaterThan(10);
  },
);

/** Whether an error says that its call was left: aborted, or over its own timeout. */
function leaving(error: { code: string; cause?: unknown; timeout?: unknown }, timeout: number | undefined): boolean {
  const reason = error.code === 'submission_unknown' ? (error.cause as typeof error) : error;
  return reason.code === 'aborted' || (reason.code === 'request_timeout' && reason.timeout === timeout);
}

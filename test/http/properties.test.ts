import fc from 'fast-check';
import { VirtualTimeScheduler, map } from 'rxjs';
import { expect, test } from 'vitest';
import { createRunpod, isRunpodError } from 'runpod-rx';
import type { JobSnapshot, Limits } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import type { JobRecord } from 'runpod-rx/testing';
import { seed } from '../support/seed.js';

const ms = (max: number) => fc.integer({ min: 0, max });

/** One subscriber: what it calls and when, and how it abandons the call, if at all. */
const subscriber = fc.record({
  call: fc.constantFrom('run', 'runSync'),
  at: ms(20_000),
  /** `after` is the time since the call, in milliseconds. */
  abandons: fc.option(fc.record({ after: ms(15_000), how: fc.constantFrom('unsubscribe', 'timeout', 'signal') })),
  takes: fc.oneof(ms(100), ms(30_000)),
  wait: fc.constantFrom(1_000, 5_000, 90_000),
});

/** How often each fault happens. */
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

const hasEnded = ({ status }: JobRecord) => status !== 'IN_QUEUE' && status !== 'IN_PROGRESS';

test(
  'S1 S4 S5 S6 no call starts two jobs, and no abandoned job runs on unless its answer was lost',
  { timeout: 120_000 },
  () => {
    const counts = { abandoned: 0, unsent: 0, cancelled: 0, unknown: 0, kept: 0 };
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

          const calls = subscribers.map(({ call, at, abandons, takes, wait }, nth) => {
            const outcome: { abandoned: boolean; error?: unknown; last?: JobSnapshot } = { abandoned: false };
            const controller = new AbortController();
            const limit = {
              ...(abandons?.how === 'timeout' && { timeout: abandons.after }),
              ...(abandons?.how === 'signal' && { signal: controller.signal }),
            };
            scheduler.schedule(() => {
              const request = { input: { nth, takes } };
              const call$ =
                call === 'run' ? endpoint.run(request, limit) : endpoint.runSync(request, { wait, ...limit });
              const subscription = call$.subscribe({
                next: (snapshot) => (outcome.last = snapshot),
                error: (error: unknown) => {
                  outcome.error = error;
                  outcome.abandoned = isRunpodError(error) && isAbandonment(error, abandons?.after);
                },
              });
              if (abandons && abandons.how !== 'timeout')
                scheduler.schedule(() => {
                  if (abandons.how === 'signal') controller.abort();
                  else if (!subscription.closed) {
                    outcome.abandoned = true;
                    subscription.unsubscribe();
                  }
                }, abandons.after);
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
          // No request is still open.
          expect(emulator.requests().filter(({ endedAt }) => endedAt === undefined)).toEqual([]);

          const jobs = emulator.jobs();
          const submissions = emulator.requests().filter(({ operation }) => operation?.startsWith('run'));
          calls.forEach(({ abandoned, error, last }, nth) => {
            const started = jobs.filter(({ input }) => (input as { nth: number }).nth === nth);
            // A call starts at most one job.
            expect(started.length).toBeLessThanOrEqual(1);
            const [job] = started;
            const sent = job && submissions.find(({ jobId }) => jobId === job.id)!;
            // The answer came, and could be read.
            const known = sent?.status === 200 && sent.fault !== 'truncated-answer' && sent.fault !== 'bare-error';
            if (abandoned) {
              counts.abandoned++;
              if (!job) counts.unsent++;
              if (job?.cancelRequests) counts.cancelled++;
              if (job && known) {
                expect(hasEnded(job)).toBe(true);
                // The client reports the job, unless it completed by itself.
                if (job.status !== 'COMPLETED') expect(report!.map(({ id }) => id)).toContain(job.id);
              }
            } else if (error) {
              counts.unknown++;
              // An error with `accepted: 'no'` means that there is no job.
              if ((error as { accepted?: string }).accepted === 'no') expect(job).toBeUndefined();
            } else {
              counts.kept++;
              expect(last).toBeDefined();
              expect(job).toMatchObject({ cancelRequests: 0, id: last!.id });
              // A job that was not abandoned runs to its end.
              expect(job!.status).toBe('COMPLETED');
            }
          });
        },
      ),
      { seed, numRuns: 300 },
    );
    // Each outcome occurred often enough.
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(10);
  },
);

/** Whether an error means that the call was abandoned: by its signal or by its own timeout. */
function isAbandonment(
  error: { code: string; cause?: unknown; timeout?: unknown },
  timeout: number | undefined,
): boolean {
  const reason = error.code === 'submission_unknown' ? (error.cause as typeof error) : error;
  return reason.code === 'aborted' || (reason.code === 'request_timeout' && reason.timeout === timeout);
}

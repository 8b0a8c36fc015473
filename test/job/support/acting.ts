import type { StandardSchemaV1 } from '@standard-schema/spec';
import { EMPTY, concat, from, ignoreElements, map, merge, mergeMap, of, tap, throwError } from 'rxjs';
import { createRunpod } from 'runpod-rx';
import type { ClientOptions, Runpod } from 'runpod-rx';
import type { EmulatedEndpoint, HandlerContext, HandlerJob } from 'runpod-rx/testing';
import type { Script, World } from '../../support/world.js';

/** What a job of an acting endpoint does, by the moments of its run. */
export interface Act extends Record<string, unknown> {
  /** How long it runs. */
  readonly ms?: number;
  readonly chunks?: readonly (readonly [at: number, chunk: unknown])[];
  readonly progress?: readonly (readonly [at: number, progress: unknown])[];
  /** The message that the job fails with at its end. */
  readonly fails?: string;
}

const act = ({ input }: HandlerJob, { delay: after, progress }: HandlerContext) => {
  const { ms = 0, chunks = [], progress: updates = [], fails } = input as Act;
  return merge(
    from(chunks).pipe(mergeMap(([at, chunk]) => after(at).pipe(map(() => chunk)))),
    from(updates).pipe(
      mergeMap(([at, update]) =>
        after(at).pipe(
          tap(() => {
            progress(update);
          }),
        ),
      ),
      ignoreElements(),
    ),
    concat(after(ms).pipe(ignoreElements()), fails === undefined ? EMPTY : throwError(() => new Error(fails))),
  );
};

/** An endpoint whose jobs yield chunks, and collect them into the output where the endpoint aggregates. */
export const streaming = (more: Partial<EmulatedEndpoint> = {}): EmulatedEndpoint => ({
  stream: true,
  ...more,
  handler: act,
});

/** An endpoint whose jobs return their input, or fail. */
export const acting: EmulatedEndpoint = {
  handler: (job, context) => concat(act(job, context), of({ echo: job.input })),
};

/** How many requests of each operation reached the server. */
export function tally(made: Pick<World, 'emulator'> | Pick<Script, 'sent'>): Record<string, number> {
  const all = 'sent' in made ? made.sent : made.emulator.requests();
  const counts: Record<string, number> = {};
  for (const { operation = '?' } of all) counts[operation] = (counts[operation] ?? 0) + 1;
  return counts;
}

/** When requests of an operation reached the server. */
export function when(made: Pick<World, 'emulator'> | Pick<Script, 'sent'>, operation: string): number[] {
  const all = 'sent' in made ? made.sent : made.emulator.requests();
  return all.filter((one) => one.operation === operation).map(({ at }) => at);
}

/** Another process: a second client of the same service. */
export function another({ emulator, scheduler }: World, options: Partial<ClientOptions> = {}): Runpod {
  return createRunpod({ transport: emulator.transport, scheduler, apiKey: 'key', random: () => 0.5, ...options });
}

/** A schema that transforms a value with a function, and refuses the value where the function throws. */
export function schema<T>(make: (value: unknown) => T): StandardSchemaV1<T, T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) => {
        try {
          return { value: make(value) };
        } catch (error) {
          return { issues: [{ message: (error as Error).message }] };
        }
      },
    },
  };
}

/** Returns a number as it is, and throws for any other value. */
export function number(value: unknown): number {
  if (typeof value !== 'number') throw new Error('must be a number');
  return value;
}

import { from, map, type Observable } from 'rxjs';
import { existsSync } from 'node:fs';
import { fileStore, type JobRow } from '../../durable/index.js';
import { EXIT } from '../jobs/exitCodes.js';
import type { Session } from '../jobs/Session.js';
import type { PipelineInputs } from './PipelineInputs.js';
import { hasFailed } from './hasFailed.js';
import { filesOf, type PipelineCommandOptions } from './PipelineOptions.js';

/** What a run would do. */
interface Forecast {
  readonly inputs: number;
  readonly ended: number;
  readonly running: number;
  readonly ambiguous: number;
  readonly toSubmit: number;
  /** What the jobs so far took on average, in seconds, where some have ended. */
  readonly secondsPerJob?: number;
}

/** Says what a run would do, and sends nothing. */
export function dryRun(session: Session, inputs: PipelineInputs, options: PipelineCommandOptions): Observable<number> {
  return from(forecast(inputs, options)).pipe(
    map((found) => {
      session.print(session.json ? found : words(found, inputs.name, options.price));
      return EXIT.done;
    }),
  );
}

async function forecast(inputs: PipelineInputs, options: PipelineCommandOptions): Promise<Forecast> {
  const { journal } = filesOf(options);
  const counts = { wanted: 0, sending: 0, submitted: 0, ended: 0 };
  const times: number[] = [];
  // A file is not made for this.
  const store = existsSync(journal) ? fileStore(journal) : undefined;
  try {
    for await (const request of inputs.requests()) {
      const row = (await store?.get(inputs.placeOf(request).key)) as JobRow | undefined;
      counts[row && !isSubmittedAgain(row, options) ? row.state : 'wanted'] += 1;
      const { executionTime } = (row?.end && 'job' in row.end ? row.end.job : {}) as {
        readonly executionTime?: unknown;
      };
      if (typeof executionTime === 'number') times.push(executionTime / 1_000);
    }
  } finally {
    await store?.close();
  }
  const { wanted, sending, submitted, ended } = counts;
  return {
    inputs: wanted + sending + submitted + ended,
    ended,
    running: submitted,
    ambiguous: sending,
    toSubmit: wanted,
    ...(times.length > 0 && { secondsPerJob: times.reduce((sum, time) => sum + time, 0) / times.length }),
  };
}

function isSubmittedAgain(row: JobRow, { ambiguous, retryFailed }: PipelineCommandOptions): boolean {
  if (row.state === 'sending') return ambiguous === 'resubmit';
  return row.state === 'ended' && !!retryFailed && hasFailed(row);
}

function words(found: Forecast, name: string, price: number | undefined): string {
  const { inputs, ended, running, ambiguous, toSubmit, secondsPerJob } = found;
  const lines = [
    `${name}: ${inputs} inputs`,
    `  ${ended} have ended, ${running} run`,
    ...(ambiguous > 0
      ? [`  ${ambiguous} were sent without an answer, and may run: --ambiguous says what is done`]
      : []),
    `  ${toSubmit} would be submitted`,
  ];
  if (price !== undefined) {
    const estimate =
      secondsPerJob === undefined
        ? 'unknown before the first job has ended'
        : (toSubmit * secondsPerJob * price).toFixed(2);
    lines.push(`  estimated cost of those: ${estimate}`);
  }
  return [...lines, 'Nothing was sent.'].join('\n');
}

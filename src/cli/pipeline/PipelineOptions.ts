import { join } from 'node:path';
import type { SessionOptions } from '../jobs/Session.js';

/** Options of `runpod-rx pipeline`; all durations in milliseconds. */
export interface PipelineCommandOptions extends SessionOptions {
  /** The file of results. */
  readonly output: string;
  /** The file of failures. */
  readonly failures?: string;
  /** The folder that remembers the jobs. */
  readonly journal?: string;
  /** How many jobs run at a time. */
  readonly concurrency: number;
  /** The member of an input that names it. */
  readonly key?: string;
  /** Whether each input is written beside its output. */
  readonly withInput?: boolean;
  /** A job is cancelled after this time. */
  readonly timeout?: number;
  /** What is done with an input that was sent without an answer. */
  readonly ambiguous: 'fail' | 'resubmit';
  /** Whether inputs run again whose job failed. */
  readonly retryFailed?: boolean;
  /** Whether nothing is sent. */
  readonly dryRun?: boolean;
  /** What a second of execution costs. */
  readonly price?: number;
}

/** The files of a pipeline: those of results and failures, and the journal, which lies in a folder with its locks. */
export interface PipelineFiles {
  readonly output: string;
  readonly failures: string;
  readonly journal: string;
}

/** What is not named lies beside the results, and is named after them. */
export function filesOf({ output, failures, journal }: PipelineCommandOptions): PipelineFiles {
  const stem = output.replace(/\.jsonl?$/, '');
  return { output, failures: failures ?? `${stem}.failed.jsonl`, journal: join(journal ?? `${stem}.journal`, 'jobs') };
}

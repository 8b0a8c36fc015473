import { codedError, type JobRequest, type PipelineItem } from '../../index.js';
import type { InputPlace } from './PipelineInputs.js';

/** What is written for an input whose job completed. */
export interface ResultRecord extends InputPlace {
  /** The id of the job. */
  readonly id: string;
  /** How long it ran, in milliseconds, as the service bills it. */
  readonly executionTime?: number;
  readonly input?: unknown;
  readonly output: unknown;
}

/** What is written for an input that failed. */
export interface FailureRecord extends InputPlace {
  readonly id?: string;
  readonly executionTime?: number;
  readonly error: { readonly code: string; readonly message: string };
  readonly input: unknown;
}

/** What is written for an item. */
export function recordOf(
  item: PipelineItem,
  place: InputPlace,
  { withInput }: { readonly withInput: boolean },
): ResultRecord | FailureRecord {
  const { snapshot } = item;
  const time = snapshot?.executionTime === undefined ? {} : { executionTime: snapshot.executionTime };
  const { input }: JobRequest = item.request;
  if (item.ok) {
    const { id, output = null } = item.snapshot;
    return { ...place, id, ...time, ...(withInput && { input }), output };
  }
  const { code, message, jobId } = codedError(item.error);
  return { ...place, ...(jobId !== undefined && { id: jobId }), ...time, error: { code, message }, input };
}

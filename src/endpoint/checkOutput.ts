import { concatMap, map, of, type Observable, type OperatorFunction } from 'rxjs';
import { JobOutputError } from '../errors/JobOutputError.js';
import { issuesText, type Issue } from '../protocol/checks.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { EndpointContext } from './EndpointContext.js';
import type { EndpointOptions } from './EndpointOptions.js';
import { validate } from './validate.js';

/**
 * Checks the output of a completed job where the endpoint has a schema for it. An output that does not match is a
 * `JobOutputError`.
 *
 * @param onCompleted - called when the job has completed, before its output is checked
 */
export function checkOutput<O>(
  context: EndpointContext,
  schema: EndpointOptions<object, O, unknown>['output'],
  onCompleted?: () => void,
): OperatorFunction<JobSnapshot, JobSnapshot<O>> {
  // Without a schema, the output has the type that the caller states.
  if (!schema) return (source) => source as Observable<JobSnapshot<O>>;
  return concatMap((snapshot: JobSnapshot): Observable<JobSnapshot<O>> => {
    if (snapshot.status !== 'COMPLETED') return of(snapshot);
    onCompleted?.();
    return validate(schema, 'output', snapshot.output, (issues, cause) =>
      outputMismatch(context, { issues, cause }, { jobId: snapshot.id, snapshot }),
    ).pipe(map((output) => ({ ...snapshot, output })));
  });
}

/** The error for an output, or a chunk, that does not match its schema, or whose schema failed, which is the `cause`. */
export function outputMismatch(
  context: EndpointContext,
  { issues, cause }: { readonly issues: readonly Issue[]; readonly cause: unknown },
  { jobId, ...found }: { readonly jobId: string; readonly snapshot?: JobSnapshot; readonly chunk?: unknown },
): JobOutputError {
  return new JobOutputError(
    `what job ${jobId} gave does not match the schema: ${issuesText(issues)}`,
    { ...context.errorContext({ operation: 'snapshot' in found ? 'status' : 'stream', jobId }), cause },
    { issues, ...found },
  );
}

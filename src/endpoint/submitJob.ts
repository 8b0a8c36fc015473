import { concatMap, defer, type Observable } from 'rxjs';
import { invalidRequest } from '../errors/invalidRequest.js';
import type { CallMeta } from '../http/ApiCall.js';
import { jobBody, type Issue } from '../protocol/checks.js';
import { RUNSYNC_WAIT } from '../protocol/limits.js';
import type { RunOptions } from '../types/callOptions.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import { checkOutput } from './checkOutput.js';
import type { EndpointView } from './EndpointView.js';
import { validate } from './validate.js';

/** What is submitted, and how. */
export interface Submission<I extends object> {
  readonly operation: 'run' | 'runsync';
  readonly request: JobRequest<I>;
  readonly options: RunOptions;
  /** How long the service holds the answer of `/runsync`, in milliseconds. */
  readonly wait?: number | undefined;
  /** What is wrong with the caller's other options. With any issue, nothing is sent. */
  readonly issues?: readonly Issue[];
  readonly meta?: CallMeta;
}

/** Submits a job, once its input is checked. Emits the answer and completes. */
export function submitJob<I extends object, O, C>(
  { context, options: { input: schema, output } }: EndpointView<I, O, C>,
  { operation, request, options, wait, issues = [], meta = {} }: Submission<I>,
): Observable<JobSnapshot<O>> {
  const { allowEmptyInput, ...callOptions } = options;
  const refuse = (found: readonly Issue[]) => invalidRequest(found, context.errorContext({ operation, ...meta }));
  return defer(() => {
    // Callers without types may give no request at all.
    const given = (request as Partial<JobRequest<I>> | undefined)?.input as I;
    return validate(schema, 'input', given, refuse);
  }).pipe(
    concatMap((input) => {
      const { body, issues: bodyIssues } = jobBody({ ...request, input }, operation, { allowEmptyInput });
      return context.call(
        {
          ...meta,
          operation,
          query: { wait },
          holdFor: operation === 'runsync' ? (wait ?? RUNSYNC_WAIT) : undefined,
          body,
          issues: [...bodyIssues, ...issues],
        },
        callOptions,
      );
    }),
    checkOutput(context, output),
  );
}

import { concatMap, defer, type Observable } from 'rxjs';
import { invalidRequest } from '../errors/invalidRequest.js';
import type { CallMeta } from '../http/ApiCall.js';
import { checkOptions, type Checks } from '../protocol/checkOptions.js';
import type { Issue } from '../protocol/checks.js';
import { copyableRequest, jobBody } from '../protocol/jobBody.js';
import { isRecord } from '../protocol/json.js';
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
  /** Checks of the options, where they were not checked before. With any issue, nothing is sent. */
  readonly checks?: Checks<RunOptions>;
  readonly meta?: CallMeta;
}

/** Submits a job, once its input is checked. Emits the answer and completes. */
export function submitJob<I extends object, O, C>(
  { context, options: { input: schema, output } }: EndpointView<I, O, C>,
  { operation, request, options, wait, checks, meta = {} }: Submission<I>,
): Observable<JobSnapshot<O>> {
  const refuse = (found: readonly Issue[], cause?: unknown) =>
    invalidRequest(found, { ...context.errorContext({ operation, ...meta }), cause });
  return defer(() => {
    // Callers without types may give no request at all.
    const given = (request as Partial<JobRequest<I>> | undefined)?.input as I;
    return validate(schema, 'input', given, refuse);
  }).pipe(
    concatMap((input) => {
      const issues = checks ? checkOptions(options, checks) : [];
      const callOptions = Object(options) as RunOptions;
      const { allowEmptyInput } = callOptions;
      const whole: JobRequest<object> = isRecord(request) ? { ...copyableRequest(request), input } : { input };
      const { body, issues: bodyIssues } = jobBody(whole, operation, { allowEmptyInput });
      return context.call(
        {
          ...meta,
          operation,
          query: { wait },
          holdFor: operation === 'runsync' ? (wait ?? RUNSYNC_WAIT) : undefined,
          body,
          webhook: whole.webhook,
          issues: [...bodyIssues, ...issues],
        },
        callOptions,
      );
    }),
    checkOutput(context, output),
  );
}

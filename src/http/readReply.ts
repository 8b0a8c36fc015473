import { ResponseError } from '../errors/ResponseError.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { toHttpError } from '../errors/toHttpError.js';
import type { JsonParser } from '../protocol/json.js';
import { isEndpointMissing, isServiceAnswer } from '../protocol/message.js';
import { operationRow } from '../protocol/operations.js';
import type { Parsed } from '../protocol/Parsed.js';
import { isTerminal, parseSnapshot } from '../protocol/snapshot.js';
import { statusRule } from '../protocol/statusRules.js';
import { clip } from '../protocol/text.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { Reply } from '../types/Transport.js';
import type { ApiCall } from './ApiCall.js';
import { redact, type CallState } from './CallState.js';
import { jobMissingError } from './submissionLag.js';

/** What an answer is read with, besides its call. */
export interface ReplyReader {
  readonly state: CallState;
  /** Makes what errors say of the call. */
  readonly context: () => ErrorContext;
  /** The endpoint's own parser of JSON. */
  readonly parse: JsonParser | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What this client knows of the call's job. */
  readonly job: { readonly known: boolean; readonly last: JobSnapshot | undefined } | undefined;
  /** Called for each 2xx answer that is a job. */
  readonly onJob: (snapshot: JobSnapshot) => void;
}

/** The value of a successful answer, or of one that is a job. Throws the error of any other answer. */
export function readReply<T>(reply: Reply, call: ApiCall<T>, given: ReplyReader): T {
  const { status } = reply;
  const { jobId } = call;
  const { state, now } = given;
  if (status >= 200 && status < 300) return readSuccess(reply, call, given);
  const job = jobOfRefusal(reply, call, given);
  if (job) return job as T;
  const context = given.context();
  const redacted = (text: string) => redact(text, state);
  const isSubmission = operationRow(call.operation, call.method).kind === 'submission';
  // A page of a gateway says nothing about a job: the service may answer the next read. But a gateway that refused a
  // submission has not passed it on.
  const foreign = status >= 400 && status < 500 && !isSubmission && !isServiceAnswer(reply);
  // Redacted before it is shortened: a shortened text could hold the beginning of the key.
  if (status === 404 && jobId && !foreign && !isEndpointMissing(redacted(reply.text)))
    throw jobMissingError(jobId, context, given.job);
  const accepted = context.accepted && (statusRule(status).refused ? 'no' : 'unknown');
  // Where a submission may have been accepted, `SubmissionUnknownError` gives the advice.
  const advise = !(isSubmission && accepted === 'unknown');
  throw toHttpError(reply, { ...context, accepted }, { now, redact: redacted, advise, foreign });
}

/**
 * The job that a refusal's body is: the caller asked for that job, and it is over. Other refusals may have an id and a
 * status, too.
 */
function jobOfRefusal(
  { status, text }: Reply,
  { read, jobId }: ApiCall<unknown>,
  { parse }: ReplyReader,
): JobSnapshot | undefined {
  if (read || status < 400 || status >= 500 || status === 429) return undefined;
  const parsed = parseSnapshot(text, { parse });
  if (!('value' in parsed)) return undefined;
  const { value: job } = parsed;
  return isTerminal(job) && (jobId === undefined || job.id === jobId) ? job : undefined;
}

function readSuccess<T>(reply: Reply, call: ApiCall<T>, { state, context: makeContext, parse, onJob }: ReplyReader): T {
  const { operation, jobId, read } = call;
  const isSubmission = operationRow(operation, call.method).kind === 'submission';
  // Without `read`, `T` is the snapshot of a job.
  const parseText = (text: string) =>
    read ? read({ ...reply, text }) : (parseSnapshot(text, { parse, id: jobId, lenient: isSubmission }) as Parsed<T>);
  const parsed = parseText(reply.text);
  if ('value' in parsed) {
    if (!read) onJob(parsed.value as JobSnapshot);
    return parsed.value;
  }
  // The text is for people from here on. Parsed anew, because the issue may quote the key.
  const context = makeContext();
  const text = redact(reply.text, state);
  const clean = parseText(text);
  const issue = 'issue' in clean ? clean.issue : parsed.issue;
  throw new ResponseError(`the answer to ${operation} on endpoint ${context.endpointId ?? '?'} ${issue}`, context, {
    excerpt: clip(text, 500),
    retryable: true,
  });
}

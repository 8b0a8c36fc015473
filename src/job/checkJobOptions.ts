import { CALL, RUN, STREAM, WATCH } from '../protocol/callChecks.js';
import {
  callback,
  checkOptions,
  countOrInfinity,
  duration,
  either,
  flag,
  nested,
  oneOf,
  text,
  type Checks,
} from '../protocol/checkOptions.js';
import { checkJobId, must, type Issue } from '../protocol/checks.js';
import { isRecord } from '../protocol/json.js';
import type { JobOptions, JobTimeout } from './JobOptions.js';
import type { JobOrigin } from './JobOrigin.js';

const TIMEOUT: Checks<JobTimeout> = { queue: duration, execution: duration, total: duration };

/** The options of a job. */
export const JOB: Checks<JobOptions<object>> = {
  signal: CALL.signal,
  headers: CALL.headers,
  context: CALL.context,
  onReply: CALL.onReply,
  allowEmptyInput: RUN.allowEmptyInput,
  every: WATCH.every,
  poll: WATCH.poll,
  longPoll: WATCH.longPoll,
  outage: duration,
  onGap: STREAM.onGap,
  onUnsubscribe: oneOf('cancel', 'cancel-if-queued', 'detach'),
  grace: duration,
  timeout: either('object', nested(TIMEOUT), duration),
  settle: duration,
  stream: flag,
  replayChunks: either('string', oneOf('all'), countOrInfinity(0)),
  tag: text,
  beforeSubmit: callback,
  beforeSend: callback,
  afterSubmit: callback,
  beforeCancel: callback,
};

/** Everything that is wrong with a job's options, and with its reference where the job was attached to. */
export function checkJobOptions(origin: JobOrigin, options: unknown, endpointId: string | undefined): Issue[] {
  const issues = checkOptions(options, JOB);
  if (!('request' in origin)) return [...issues, ...checkRef(origin.ref, endpointId)];
  const { request } = origin;
  return [...issues, ...must(isRecord(request), 'request', request, 'be an object, as in job({ input: { … } })')];
}

function checkRef(ref: unknown, endpointId: string | undefined): Issue[] {
  const {
    v,
    id,
    endpointId: other,
    submittedAt = 0,
    chunks = 0,
    tag = '',
    gap = false,
  } = Object(ref) as Record<string, unknown>;
  const isCount = Number.isSafeInteger(chunks) && Number(chunks) >= 0;
  return [
    ...checkJobId('ref.id', id),
    ...must(v === 1, 'ref.v', v, 'be 1: the reference is of another version'),
    ...must(
      other === endpointId,
      'ref.endpointId',
      other,
      `be ${endpointId ?? '?'}: the reference is of another endpoint`,
    ),
    ...must(Number.isFinite(submittedAt), 'ref.submittedAt', submittedAt, 'be a number of milliseconds'),
    ...must(isCount, 'ref.chunks', chunks, 'be a count'),
    ...must(typeof gap === 'boolean', 'ref.gap', gap, 'be true or false'),
    ...must(typeof tag === 'string', 'ref.tag', tag, 'be text'),
  ];
}

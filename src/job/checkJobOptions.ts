import { checkDurations, checkId, checkWatch, must, type Issue } from '../protocol/checks.js';
import { timeoutOf } from './deadlines.js';
import type { JobOptions } from './JobOptions.js';
import type { JobOrigin } from './JobOrigin.js';

/** Everything that is wrong with a job's options, and with its reference where the job was attached to. */
export function checkJobOptions(
  { request, ref }: JobOrigin,
  options: JobOptions<object>,
  endpointId: string | undefined,
): Issue[] {
  const { grace, settle } = options;
  const { queue, execution, total } = timeoutOf(options);
  const issues = [
    ...checkDurations({
      'timeout.queue': queue,
      'timeout.execution': execution,
      'timeout.total': total,
      grace,
      settle,
    }),
    ...checkWatch(options),
  ];
  if (request) return issues;
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
    ...issues,
    ...checkId('ref.id', id),
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

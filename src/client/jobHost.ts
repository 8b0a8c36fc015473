import { catchError, map, mergeMap, of, tap, throwError } from 'rxjs';
import type { JobHost } from '../job/JobHost.js';
import type { JobOrigin } from '../job/JobLife.js';
import type { JobOptions } from '../job/JobOptions.js';
import { invalidRequest } from '../errors/invalidRequest.js';
import { checkDurations, checkId, type Issue } from '../protocol/checks.js';
import { isRecord } from '../protocol/json.js';
import { EXECUTION_TIMEOUT, TTL } from '../protocol/limits.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { EndpointCalls } from './EndpointCalls.js';
import { closedError } from './EndpointState.js';

/** What a job's `ttl` is beyond its `timeout.total`, in milliseconds: time to fetch a result, before the net closes. */
const TTL_MARGIN = 35 * 60_000;

/** Lets a job make its endpoint's calls. */
export function jobHost<I extends object, O, C>(
  calls: EndpointCalls<I, O, C>,
  { request, ref }: JobOrigin,
  options: JobOptions<object>,
): JobHost {
  const { state } = calls;
  const { client, jobs, id: endpointId } = state;
  const { timeout, grace, settle, every, outage, poll, onGap, headers, context, allowEmptyInput } = options;
  const { queue, execution, total } = typeof timeout === 'object' ? timeout : { total: timeout };
  const tag = options.tag ?? ref?.tag;
  const particulars = { tag, by: 'job' } as const;
  const issues = [
    ...checkDurations({
      'timeout.queue': queue,
      'timeout.execution': execution,
      'timeout.total': total,
      grace,
      settle,
      every,
      outage,
    }),
    ...(request ? [] : checkRef(ref, endpointId)),
  ];
  const where = state.context({ operation: request ? 'run' : 'status', jobId: ref?.id, tag });
  const recall = (id: string) => {
    jobs.recall(id, ref?.submittedAt);
  };

  return {
    endpointId,
    scheduler: client.settings.scheduler,
    refusal: issues.length ? invalidRequest(issues, where) : undefined,
    closed$: client.closed$.pipe(mergeMap(() => throwError(() => closedError(where)))),
    context: (operation, jobId) => state.context({ operation, jobId, tag }),
    submit: (ready, begun) =>
      calls.submit(
        'run',
        withPolicy(ready as JobRequest<I>, execution ?? total, total),
        { headers, context, allowEmptyInput },
        undefined,
        [],
        { ...particulars, begun },
      ),
    watch: (id, finished) => {
      recall(id);
      return calls.poll(id, { every, poll, outage, headers, context }, particulars).pipe(
        tap((snapshot) => {
          if (isTerminal(snapshot)) finished?.();
        }),
        calls.checked(),
      );
    },
    heard: (id) => jobs.heard(id).pipe(calls.checked()),
    status: (id) => jobs.read(id, () => calls.fetch(id, { headers, context }, particulars)).pipe(calls.checked()),
    stream: (id, finished) => {
      recall(id);
      const ended = () => {
        finished();
        jobs.refresh(id);
      };
      return calls.chunks(id, { onGap, outage, headers, context }, particulars, ref, ended).pipe(
        tap((event) => {
          if (event.type === 'gap') calls.gap(id, event.delivered, tag);
        }),
      );
    },
    settle: (id, urgent, ifQueued) =>
      state.settle(id, { tag, urgent, ifQueued }).pipe(
        mergeMap((settled) =>
          settled.snapshot
            ? of(settled.snapshot).pipe(
                calls.checked(),
                map((snapshot) => ({ ...settled, snapshot })),
                catchError((error: unknown) => of({ outcome: settled.outcome, error })),
              )
            : of(settled),
        ),
      ),
    submittedAt: (id) => jobs.get(id)?.submittedAt ?? ref?.submittedAt,
    hold: () => client.settlements.begin(),
    ttlOf: (ready) => ready && withPolicy(ready, execution ?? total, total).policy?.ttl,
    gap: (id) => jobs.gap(id),
    health: () => state.watchHealth(() => calls.health(), {}),
  };
}

/** Has the service enforce the job's deadlines, too, where its request does not say otherwise. */
function withPolicy<I extends object>(request: JobRequest<I>, execution?: number, total?: number): JobRequest<I> {
  const within = (value: number | undefined, { min, max }: Readonly<typeof TTL | typeof EXECUTION_TIMEOUT>) =>
    value === undefined ? undefined : Math.min(max, Math.max(min, value));
  const executionTimeout = within(execution, EXECUTION_TIMEOUT);
  const ttl = within(total === undefined ? undefined : total + TTL_MARGIN, TTL);
  const policy: unknown = request.policy ?? {};
  // One that is no object is refused later, for what it is.
  if ((executionTimeout ?? ttl) === undefined || !isRecord(policy)) return request;
  return {
    ...request,
    policy: {
      ...policy,
      executionTimeout: (policy.executionTimeout as number | undefined) ?? executionTimeout,
      ttl: (policy.ttl as number | undefined) ?? ttl,
    },
  };
}

function checkRef(ref: JobOrigin['ref'], endpointId: string | undefined): Issue[] {
  const {
    v,
    id,
    endpointId: other,
    submittedAt = 0,
    chunks = 0,
    tag = '',
    gap = false,
  } = Object(ref) as Record<string, unknown>;
  const rules = [
    ['v', v, v === 1, 'be 1: the reference is of another version'],
    ['endpointId', other, other === endpointId, `be ${endpointId ?? '?'}: the reference is of another endpoint`],
    ['submittedAt', submittedAt, Number.isFinite(submittedAt), 'be a number of milliseconds'],
    ['chunks', chunks, Number.isSafeInteger(chunks) && Number(chunks) >= 0, 'be a count'],
    ['gap', gap, typeof gap === 'boolean', 'be true or false'],
    ['tag', tag, typeof tag === 'string', 'be text'],
  ] as const;
  return [
    ...checkId('ref.id', id),
    ...rules.flatMap(([field, given, holds, rule]) =>
      holds ? [] : [{ field: `ref.${field}`, given: String(given), rule: `must ${rule}` }],
    ),
  ];
}

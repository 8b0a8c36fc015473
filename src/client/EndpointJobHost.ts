import { catchError, map, mergeMap, of, tap, type Observable, type SchedulerLike } from 'rxjs';
import type { JobHost } from '../job/JobHost.js';
import type { JobOrigin } from '../job/JobLife.js';
import type { JobOptions, JobTimeout } from '../job/JobOptions.js';
import type { Settled } from '../job/settleJob.js';
import type { ErrorContext } from '../errors/RunpodError.js';
import { invalidRequest } from '../errors/invalidRequest.js';
import { checkDurations, checkId, checkWatch, type Issue } from '../protocol/checks.js';
import { isRecord } from '../protocol/json.js';
import { EXECUTION_TIMEOUT, TTL } from '../protocol/limits.js';
import type { StreamEvent } from '../sources/streamChunks.js';
import type { Trace } from '../transport/Trace.js';
import type { EndpointHealth } from '../types/EndpointHealth.js';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';
import type { EndpointCalls } from './EndpointCalls.js';
import type { JobRecords } from './JobRecords.js';

/** What a job's `ttl` is beyond its `timeout.total`, in milliseconds: time to fetch a result, before the net closes. */
const TTL_MARGIN = 35 * 60_000;

/** Lets a job make its endpoint's calls. */
export class EndpointJobHost<I extends object, O, C> implements JobHost {
  readonly refusal: unknown;
  readonly #calls: EndpointCalls<I, O, C>;
  readonly #origin: JobOrigin;
  readonly #options: JobOptions<object>;

  constructor(calls: EndpointCalls<I, O, C>, origin: JobOrigin, options: JobOptions<object>) {
    this.#calls = calls;
    this.#origin = origin;
    this.#options = options;
    const { grace, settle } = options;
    const { queue, execution, total } = this.#timeout;
    const issues = [
      ...checkDurations({
        'timeout.queue': queue,
        'timeout.execution': execution,
        'timeout.total': total,
        grace,
        settle,
      }),
      ...checkWatch(options),
      ...(origin.request ? [] : checkRef(origin.ref, this.endpointId)),
    ];
    this.refusal = issues.length ? invalidRequest(issues, this.#where) : undefined;
  }

  get endpointId(): string | undefined {
    return this.#calls.state.id;
  }

  get scheduler(): SchedulerLike {
    return this.#calls.state.client.settings.scheduler;
  }

  get closed$(): Observable<never> {
    return this.#calls.state.client.untilClosed(() => this.#where);
  }

  context(operation: string, jobId?: string): ErrorContext {
    return this.#calls.state.context({ operation, jobId, tag: this.#particulars.tag });
  }

  submit(ready: JobRequest<object>, begun: (trace: Trace) => void): Observable<JobSnapshot> {
    const { allowEmptyInput } = this.#options;
    return this.#calls.submit(
      'run',
      this.#withPolicy(ready) as JobRequest<I>,
      { ...this.#call, allowEmptyInput },
      undefined,
      [],
      { ...this.#particulars, begun },
    );
  }

  watch(id: string, finished?: () => void): Observable<JobSnapshot> {
    const { every, poll, outage, longPoll } = this.#options;
    this.#recall(id);
    const snapshots$ = this.#calls.poll(id, { every, poll, outage, longPoll, ...this.#call }, this.#particulars);
    return snapshots$.pipe(this.#calls.checked(finished));
  }

  heard(id: string): Observable<JobSnapshot> {
    return this.#jobs.heard(id).pipe(this.#calls.checked());
  }

  status(id: string): Observable<JobSnapshot> {
    return this.#jobs.read(id, () => this.#calls.fetch(id, this.#call, this.#particulars)).pipe(this.#calls.checked());
  }

  stream(id: string, finished: () => void): Observable<StreamEvent> {
    const { onGap, outage } = this.#options;
    this.#recall(id);
    const ended = () => {
      finished();
      this.#jobs.refresh(id);
    };
    return this.#calls.chunks(id, { onGap, outage, ...this.#call }, this.#particulars, this.#origin.ref, ended).pipe(
      tap((event) => {
        if (event.type === 'gap') this.#calls.gap(id, event.delivered, this.#particulars.tag);
      }),
    );
  }

  settle(id: string, urgent: boolean, ifQueued: boolean): Observable<Settled> {
    return this.#calls.state.settle(id, { tag: this.#particulars.tag, urgent, ifQueued }).pipe(
      mergeMap((settled) =>
        settled.snapshot
          ? of(settled.snapshot).pipe(
              this.#calls.checked(),
              map((snapshot) => ({ ...settled, snapshot })),
              catchError((error: unknown) => of({ outcome: settled.outcome, error })),
            )
          : of(settled),
      ),
    );
  }

  submittedAt(id: string): number | undefined {
    return this.#jobs.get(id)?.submittedAt ?? this.#origin.ref?.submittedAt;
  }

  hold(): () => void {
    return this.#calls.state.client.settlements.begin();
  }

  ttlOf(ready: JobRequest<object> | undefined): number | undefined {
    return ready && this.#withPolicy(ready).policy?.ttl;
  }

  gap(id: string): boolean {
    return this.#jobs.gap(id);
  }

  health(): Observable<EndpointHealth> {
    return this.#calls.state.watchHealth(() => this.#calls.health(), {});
  }

  get #jobs(): JobRecords {
    return this.#calls.state.jobs;
  }

  get #timeout(): JobTimeout {
    const { timeout } = this.#options;
    return typeof timeout === 'object' ? timeout : { total: timeout };
  }

  get #particulars() {
    return { tag: this.#options.tag ?? this.#origin.ref?.tag, by: 'job' } as const;
  }

  get #call() {
    const { headers, context } = this.#options;
    return { headers, context };
  }

  get #where(): ErrorContext {
    const { request, ref } = this.#origin;
    return this.context(request ? 'run' : 'status', ref?.id);
  }

  #recall(id: string): void {
    this.#jobs.recall(id, this.#origin.ref?.submittedAt);
  }

  #withPolicy(request: JobRequest<object>): JobRequest<object> {
    const { execution, total } = this.#timeout;
    return withPolicy(request, execution ?? total, total);
  }
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

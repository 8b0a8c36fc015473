import { Subject, defer, delay, finalize, identity, merge, mergeMap, of, take, tap, throwError, timer } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { ID_PATTERN } from '../../protocol/limits.js';
import type { EmulatorOptions } from '../EmulatorOptions.js';
import { applyFault } from '../faults/applyFault.js';
import { Faults } from '../faults/Faults.js';
import type { FaultContext } from '../faults/FaultRule.js';
import { networkError } from '../faults/networkError.js';
import type { EndpointState } from '../inspect/EmulatorState.js';
import { healthOf } from '../operations/overview.js';
import { table, type TableRow } from '../operations/table.js';
import { empty, endpointNotFound, jobNotFound, notAQueueRoute, unauthorized, type Answer } from './answers.js';
import { createEndpointModel, type EndpointModel } from './EndpointModel.js';
import type { EmulatorRequest } from './EmulatorRequest.js';
import { jobBody } from './jobBody.js';
import type { JobModel } from './JobModel.js';
import { credentialsOf, judgeKey, keyNumber, withoutKeys } from './keys.js';
import { Ledger, type OpenRecord } from './Ledger.js';
import { seededRandom } from './random.js';
import { writeJson } from './relayed.js';
import { readRoute, type Route } from './route.js';
import { settingsOf } from './settings.js';

/** How many characters of a `user-agent` header the ledger keeps. */
const MAX_USER_AGENT = 100;

/** All endpoints behind one entrance: takes a request, emits its answer, and records both in the ledger. */
export class Platform {
  readonly #options: EmulatorOptions;
  readonly #scheduler: SchedulerLike;
  readonly faults: Faults;
  readonly ledger: Ledger;
  readonly #endpoints = new Map<string, EndpointModel>();
  readonly #closing$ = new Subject<never>();
  #closed = false;

  constructor(options: EmulatorOptions, scheduler: SchedulerLike) {
    this.#options = options;
    this.#scheduler = scheduler;
    const now = (): number => scheduler.now();
    this.faults = new Faults(options.faults ?? [], seededRandom(`${options.seed ?? ''}/faults`), now);
    this.ledger = new Ledger(now, options.history ?? 10_000);
    for (const [id, endpoint] of Object.entries(options.endpoints)) {
      if (!ID_PATTERN.test(id))
        throw new TypeError(`"${id}" is no endpoint id: it may hold letters, digits, - and _ only`);
      const settings = settingsOf(id, endpoint, options, scheduler);
      this.#endpoints.set(id, createEndpointModel(settings, options, this.faults, this.ledger));
    }
  }

  /**
   * Answers a request: emits once and completes, or errors if a fault breaks the network. Unsubscribing before the answer
   * counts as a client that disconnects. The round trip takes `latency` milliseconds: half before the request has any
   * effect, half after.
   */
  handle(request: EmulatorRequest, latency = 0): Observable<Answer> {
    return defer(() => {
      if (this.#closed) return throwError(() => networkError('connect', 'ECONNREFUSED'));
      const record = this.#openRecord(request);
      const there = Math.floor(latency / 2);
      const back = latency - there;
      let answered = false;
      const answer$ = (there > 0 ? timer(there, this.#scheduler) : of(0)).pipe(
        mergeMap(() => this.#intercepted(request, record)),
        take(1),
        back > 0 ? delay(back, this.#scheduler) : identity,
      );
      return merge(answer$, this.#closing$).pipe(
        take(1),
        tap({
          next: ({ status }) => {
            answered = true;
            record.status = status;
          },
          error: (error: unknown) => {
            answered = true;
            record.failure = codeOf(error);
          },
        }),
        finalize(() => {
          if (!answered) record.aborted = true;
          this.ledger.closeRequest(record);
        }),
      );
    });
  }

  /** Answers a request that is not a client's: see `Inspection.handle`. */
  handleUnrecorded(request: EmulatorRequest, onJobCreated: (job: JobModel) => void): Observable<Answer> {
    const answer$ = defer(() => {
      const { route } = readRoute(request.url);
      if (!route || route.workerId !== undefined) return of(empty(404));
      const row = table.get(route.operation);
      const endpoint = this.#endpoints.get(route.endpointId);
      const refusal = this.#refusal(request, route, endpoint, row);
      if (refusal || !endpoint || !row) return of(refusal ?? empty(404));
      const { query, path, jobId = '' } = route;
      return row.operate({ endpoint, request, query, path, jobId, onJobCreated, losesChunks: () => false });
    });
    return merge(answer$, this.#closing$).pipe(take(1));
  }

  /** The job as `/status` answers it: JSON. */
  statusOf(job: JobModel): string {
    const endpoint = this.#endpoints.get(job.endpointId);
    return endpoint ? writeJson(jobBody(job, endpoint.settings.variants)) : '{}';
  }

  /** Expires every unfinished job of every endpoint whose time to live is over. */
  ageJobs(): void {
    for (const { queue } of this.#endpoints.values()) queue.ageAll();
  }

  /** The `/health` of each endpoint, by id. */
  health(): Readonly<Record<string, EndpointState>> {
    return Object.fromEntries([...this.#endpoints].map(([id, endpoint]) => [id, healthOf(endpoint)]));
  }

  /** Stops all work. Held requests lose their connection; later requests are refused a connection. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#closing$.error(networkError('sent', 'ECONNRESET'));
    for (const endpoint of this.#endpoints.values()) endpoint.close();
    this.ledger.close();
  }

  #openRecord({ method, url, headers }: EmulatorRequest): OpenRecord {
    const { path, route } = readRoute(url);
    const { kind: auth, key } = credentialsOf(headers);
    const { keys = [] } = this.#options;
    const number = keyNumber(keys, key);
    const userAgent = withoutKeys(headers['user-agent'] ?? '', keys, key).slice(0, MAX_USER_AGENT);
    return this.ledger.openRequest({
      method,
      path: withoutKeys(path, keys, key),
      auth,
      ...(number > 0 && { key: number }),
      ...(userAgent !== '' && { userAgent }),
      ...(route && { endpointId: route.endpointId, operation: route.operation }),
      ...(route?.jobId !== undefined && { jobId: route.jobId }),
    });
  }

  #intercepted(request: EmulatorRequest, record: OpenRecord): Observable<Answer> {
    const next = (seen: EmulatorRequest): Observable<Answer> => defer(() => this.#answer(seen, record));
    return this.#options.intercept ? this.#options.intercept(request, next) : next(request);
  }

  #answer(request: EmulatorRequest, record: OpenRecord): Observable<Answer> {
    const { path, route } = readRoute(request.url);
    const context: FaultContext = {
      at: this.#scheduler.now(),
      method: request.method,
      path,
      ...(route && { endpointId: route.endpointId, operation: route.operation }),
      ...(route?.jobId !== undefined && { jobId: route.jobId }),
      ...(route?.workerId !== undefined && { workerId: route.workerId }),
    };
    const act = defer(() => (route ? this.#admit(request, route, record, context) : of(empty(404))));
    const late = this.faults.latencyOf(context);
    if (late !== undefined) record.fault = 'latency';
    const rule = this.faults.forRequest(context);
    if (rule) record.fault = rule.fault;
    const answer$ = rule ? applyFault(rule, act, this.#scheduler) : act;
    return late === undefined ? answer$ : timer(late, this.#scheduler).pipe(mergeMap(() => answer$));
  }

  #admit(request: EmulatorRequest, route: Route, record: OpenRecord, context: FaultContext): Observable<Answer> {
    const row = table.get(route.operation);
    const endpoint = this.#endpoints.get(route.endpointId);
    const refusal = this.#refusal(request, route, endpoint, row);
    if (refusal || !endpoint || !row) return of(refusal ?? empty(404));
    const { quota, workers } = endpoint;
    const later = quota?.enter(route.operation, this.#scheduler.now(), () => workers.counts().running);
    if (later !== undefined) return of(this.#tooManyRequests(later));
    const call = {
      endpoint,
      request,
      query: route.query,
      path: route.path,
      jobId: route.jobId ?? '',
      ...(route.workerId !== undefined && { workerId: route.workerId }),
      onJobCreated: ({ id }: { readonly id: string }) => {
        record.jobId = id;
      },
      losesChunks: () => {
        const rule = this.faults.forChunks(context);
        if (rule) record.fault = rule.fault;
        return rule !== undefined;
      },
    };
    return row.operate(call).pipe(finalize(() => quota?.leave(route.operation)));
  }

  #refusal(
    request: EmulatorRequest,
    route: Route,
    endpoint: EndpointModel | undefined,
    row: TableRow | undefined,
  ): Answer | undefined {
    const { keys } = this.#options;
    if (keys) {
      const { kind, key } = credentialsOf(request.headers);
      if (kind === 'none') return unauthorized('no token provided');
      const verdict = judgeKey(keys, key, route.endpointId);
      if (verdict === 'invalid') return unauthorized('invalid api key');
      if (verdict === 'foreign') return endpointNotFound();
    }
    if (!endpoint) return endpointNotFound();
    if (!row) return notAQueueRoute();
    if (!row.methods.includes(request.method)) return empty(405, { allow: row.methods.join(', ') });
    return row.job && !route.jobId ? jobNotFound() : undefined;
  }

  #tooManyRequests(later: number): Answer {
    return empty(429, this.#options.retryAfter ? { 'retry-after': String(Math.ceil(later / 1_000)) } : {});
  }
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'message' in error ? String(error.message) : 'error';
}

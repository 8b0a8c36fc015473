import {
  ReplaySubject,
  catchError,
  defer,
  last,
  map,
  of,
  share,
  tap,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import type { Endpoint, Runpod } from '../../index.js';
import { AnswerTexts } from './AnswerTexts.js';
import { jobAnswer } from './answers.js';
import { errorResponse } from './errorResponse.js';
import { JobReads } from './JobReads.js';
import type { PageEvents } from '../events/PageEvents.js';
import type { OwnerStore } from './OwnerStore.js';
import { outcomeAnswer, outcomeOf, passOn, type Outcome } from './passOn.js';
import type { ProxyEndpoint } from './ProxyOptions.js';
import type { Quotas } from './Quotas.js';
import type { Route } from './route.js';

/** How long an answer about the endpoint's health serves all pages, in milliseconds. */
const HEALTH_MAX_AGE = 1_000;

/** How long the service holds an answer, in milliseconds: by default, at least, and at most. */
const WAIT = { default: 90_000, min: 1_000, max: 300_000 } as const;

/** How long the service holds a read of a stream at most, in milliseconds: the client's call must not end before. */
const MAX_STREAM_WAIT = 20_000;

/** What an {@link EndpointProxy} works with. */
export interface EndpointProxyParts {
  readonly client: Runpod;
  readonly endpointId: string;
  readonly options: ProxyEndpoint;
  readonly owners: OwnerStore;
  readonly quotas: Quotas;
  readonly onDisconnect: 'cancel' | 'detach';
  readonly maxBody: number;
  readonly scheduler: SchedulerLike;
  readonly events: PageEvents | undefined;
}

/** What pages share of one endpoint: its reads, and the calls that do not submit a job. */
export class EndpointProxy {
  readonly given: EndpointProxyParts;
  readonly endpoint: Endpoint;
  readonly texts = new AnswerTexts();
  readonly reads: JobReads;
  /** The submissions that go on whether or not their pages leave. Each completes. */
  readonly detached = new Set<Observable<unknown>>();
  readonly #health$: Observable<Outcome>;

  constructor(given: EndpointProxyParts) {
    const { client, endpointId, options, scheduler } = given;
    this.given = given;
    this.endpoint = client.endpoint(endpointId, { parse: this.texts.remembering(options.parse) });
    this.reads = new JobReads(this.endpoint, this.texts, scheduler);
    this.#health$ = outcomeOf((call) => this.endpoint.health(call)).pipe(
      share({
        connector: () => new ReplaySubject(1),
        resetOnComplete: () => timer(HEALTH_MAX_AGE, scheduler),
        // A page that has its answer leaves before the answer's completion, which is then to serve the others.
        resetOnRefCountZero: false,
      }),
    );
  }

  /** Answers what does not submit a job. */
  answer({ operation, held, id = '' }: Route, query: URLSearchParams, user: string): Observable<Response> {
    switch (operation) {
      case 'health':
        return this.#health$.pipe(map((outcome) => outcomeAnswer(outcome)));
      case 'cancel':
        return defer(() => {
          this.reads.forget(id);
          return passOn((call) => this.endpoint.cancel(id, call));
        });
      case 'stream':
        return passOn((call) =>
          this.endpoint.request(`stream/${encodeURIComponent(id)}`, { ...call, query: { wait: streamWaitOf(query) } }),
        );
      default:
        return this.#status(id, held ? waitOf(query) : 0, user);
    }
  }

  /** Answers with a job: at once, or when it is over or the time is up. */
  #status(id: string, wait: number, user: string): Observable<Response> {
    const { events } = this.given;
    return defer(() => {
      if (wait) return this.reads.hold(id, wait);
      const known = events?.asked(user, this, id);
      return known ? of(known) : this.reads.read(id);
    }).pipe(
      last(),
      tap((snapshot) => events?.answered(user, this, snapshot)),
      map((snapshot) => jobAnswer(this.texts.of(snapshot))),
      catchError((error: unknown) => of(errorResponse(error))),
    );
  }
}

/** How long the service is to hold a read of a stream; `undefined` for the service's own time. */
function streamWaitOf(query: URLSearchParams): number | undefined {
  return query.has('wait') ? Math.min(MAX_STREAM_WAIT, waitOf(query)) : undefined;
}

/** How long a page asks an answer to be held, in milliseconds. */
export function waitOf(query: URLSearchParams): number {
  const wait = Number(query.get('wait') ?? NaN);
  return wait >= 0 ? Math.min(WAIT.max, Math.max(WAIT.min, wait)) : WAIT.default;
}

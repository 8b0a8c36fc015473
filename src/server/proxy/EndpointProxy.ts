import {
  EMPTY,
  ReplaySubject,
  catchError,
  concat,
  defer,
  finalize,
  ignoreElements,
  last,
  map,
  noop,
  of,
  share,
  tap,
  timer,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { isTerminal, type Endpoint, type Runpod } from '../../index.js';
import { AnswerTexts } from './AnswerTexts.js';
import { jobAnswer } from './answers.js';
import { errorAnswer } from '../jsonAnswer.js';
import { KeptStreams } from '../streams/KeptStreams.js';
import type { StreamPosition } from '../streams/StreamLog.js';
import { cancelForPage } from './cancelForPage.js';
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

/** How long a read of a kept stream waits for chunks by default, in milliseconds, as the service's own does. */
const STREAM_WAIT = 10_000;

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
  /** Whether the streams are kept for all pages, which the platform may forbid. */
  readonly keepsStreams: boolean;
}

/** Who asks. */
interface Asking {
  readonly user: string;
  /** Of the page's request. */
  readonly signal: AbortSignal;
}

/** What pages share of one endpoint: its reads, and the calls that do not submit a job. */
export class EndpointProxy {
  readonly given: EndpointProxyParts;
  readonly endpoint: Endpoint;
  readonly texts = new AnswerTexts();
  readonly reads: JobReads;
  readonly streams: KeptStreams | undefined;
  /** The submissions and cancels that go on whether or not their pages leave. Each completes. */
  readonly detached = new Set<Observable<unknown>>();
  /** How many reads of a job's stream are being passed on, by the job's id. */
  readonly #passing = new Map<string, number>();
  readonly #health$: Observable<Outcome>;

  constructor(given: EndpointProxyParts) {
    const { client, endpointId, options, scheduler, keepsStreams } = given;
    this.given = given;
    // The server's own code goes on with the parser that it has given for the endpoint.
    const { parse = client.endpoint(endpointId).parse } = options;
    this.endpoint = client.endpoint(endpointId, { parse: this.texts.remembering(parse) });
    this.reads = new JobReads(this.endpoint, this.texts, scheduler);
    const readSoon = (id: string) => {
      // Its answer goes to all who watch the job: the end is told with the last chunk, rather than at the next read.
      this.endpoint.status(id).subscribe({ error: noop });
    };
    this.streams = keepsStreams ? new KeptStreams(this.endpoint, scheduler, readSoon) : undefined;
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
  answer({ operation, held, id = '' }: Route, query: URLSearchParams, { user, signal }: Asking): Observable<Response> {
    switch (operation) {
      case 'health':
        return this.#health$.pipe(map((outcome) => outcomeAnswer(outcome)));
      case 'cancel':
        return cancelForPage(this, id, signal);
      case 'stream':
        return this.#stream(id, query, user);
      default:
        return this.#status(id, held ? waitOf(query) : 0, user);
    }
  }

  /** Forgets what is known of a job, which runs again. */
  forget(id: string): void {
    this.reads.forget(id);
    this.streams?.forget(id);
  }

  /**
   * Answers with what a stream has for a page that says how far it has come: from what is kept for the pages. The answers to
   * another page are the service's own.
   */
  #stream(id: string, query: URLSearchParams, user: string): Observable<Response> {
    return concat(
      this.#forgetFormerRun(id),
      defer(() => this.#streamAnswer(id, query, user)),
    ).pipe(catchError((error: unknown) => of(errorResponse(error))));
  }

  /** Where a job that has failed runs again, its stream begins anew. Emits nothing. */
  #forgetFormerRun(id: string): Observable<never> {
    return defer(() => (this.streams?.mayRunAgain(id) ? this.reads.read(id) : EMPTY)).pipe(
      tap((snapshot) => {
        if (!isTerminal(snapshot)) this.streams?.forget(id);
      }),
      ignoreElements(),
    );
  }

  #streamAnswer(id: string, query: URLSearchParams, user: string): Observable<Response> {
    const position = positionOf(query);
    const wait = streamWaitOf(query);
    const kept = position ? this.streams?.ask(id, position, this.#passing.has(id)) : this.streams?.get(id);
    if (!kept) return position ? of(errorAnswer(416, 'streams are not kept here')) : this.#passStream(id, wait);
    if (position) this.given.events?.streamAsked(user, this, { id, stream: kept });
    const text$ = position ? kept.answer(position, wait ?? STREAM_WAIT) : kept.nextAnswer(wait ?? STREAM_WAIT);
    return text$.pipe(map((text) => jobAnswer(text)));
  }

  /** Passes a read of a stream on. The answer takes chunks away from whoever begins to read the stream meanwhile. */
  #passStream(id: string, wait: number | undefined): Observable<Response> {
    return defer(() => {
      this.#passing.set(id, (this.#passing.get(id) ?? 0) + 1);
      return passOn((call) =>
        this.endpoint.request(`stream/${encodeURIComponent(id)}`, { ...call, query: { wait } }),
      ).pipe(
        finalize(() => {
          const others = (this.#passing.get(id) ?? 0) - 1;
          if (others > 0) this.#passing.set(id, others);
          else this.#passing.delete(id);
        }),
      );
    });
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

/** How far a page has come in a stream; `undefined` where it does not say. */
function positionOf(query: URLSearchParams): StreamPosition | undefined {
  const [chunks, from] = ['chunks', 'from'].map((name) => Number(query.get(name) ?? NaN));
  if (!isCount(chunks)) return undefined;
  return { chunks, ...(isCount(from) && { from, log: query.get('log') ?? '' }) };
}

function isCount(value: number | undefined): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** How long a page asks an answer to be held, in milliseconds. */
export function waitOf(query: URLSearchParams): number {
  const wait = Number(query.get('wait') ?? NaN);
  return wait >= 0 ? Math.min(WAIT.max, Math.max(WAIT.min, wait)) : WAIT.default;
}

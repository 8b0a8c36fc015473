import {
  catchError,
  concat,
  concatMap,
  defer,
  firstValueFrom,
  last,
  map,
  of,
  throwError,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import { reportUnhandled } from '../../errors/reportUnhandled.js';
import type { Runpod } from '../../index.js';
import { durationScheduler } from '../../time/clocks.js';
import type { HandlerContext } from '../Handler.js';
import { errorAnswer } from '../jsonAnswer.js';
import { PageEvents } from '../events/PageEvents.js';
import { EndpointProxy } from './EndpointProxy.js';
import { NOT_SENT, errorResponse, noSuchJob } from './errorResponse.js';
import { eventually } from '../eventually.js';
import { memoryOwners } from './memoryOwners.js';
import { onToItsEnd } from './onToItsEnd.js';
import { onWorkerd } from './onWorkerd.js';
import type { OwnerStore } from './OwnerStore.js';
import { PageAccess } from './PageAccess.js';
import type { ProxyOptions } from './ProxyOptions.js';
import { Quotas } from './Quotas.js';
import { Refusal } from './Refusal.js';
import { isSubmission, routeOf, type Route } from './route.js';
import { submitForPage } from './submitForPage.js';
import { untilLeft } from './untilLeft.js';

const DEFAULT_MAX_BODY = 1_048_576;

/** The proxies of all endpoints over one client. */
type Endpoints = ReadonlyMap<string, EndpointProxy>;

/** Takes each request from the address to the endpoint: who may call, what exists, whose job it is. */
export class PageProxy {
  readonly #options: ProxyOptions;
  readonly #basePath: string;
  readonly #scheduler: SchedulerLike;
  readonly #access: PageAccess;
  readonly #owners: OwnerStore;
  readonly #quotas: ReadonlyMap<string, Quotas>;
  readonly #events: PageEvents | undefined;
  /** What all requests share; `undefined` where the platform forbids that. */
  readonly #shared: Endpoints | undefined;

  constructor(options: ProxyOptions) {
    const { client, endpoints, owners = memoryOwners(), basePath = '/api/runpod', origins = [] } = options;
    this.#options = options;
    this.#scheduler = durationScheduler(options.scheduler);
    this.#basePath = basePath;
    this.#owners = owners;
    this.#access = new PageAccess(origins);
    this.#quotas = new Map(
      Object.entries(endpoints).map(([id, { quota = {} }]) => [id, new Quotas(quota, this.#scheduler)]),
    );
    this.#events = options.events && !onWorkerd() ? new PageEvents(client, this.#scheduler) : undefined;
    this.#shared = onWorkerd() ? undefined : this.#endpointsOf(client);
  }

  /** Answers a request. */
  async handle(request: Request, context: HandlerContext = {}): Promise<Response> {
    const preflight = this.#access.preflight(request);
    if (preflight) return preflight;
    const client = this.#shared ? this.#options.client : this.#options.client.isolated();
    const endpoints = this.#shared ?? this.#endpointsOf(client);
    const answer = untilLeft(this.#answer(request, endpoints), request.signal);
    // Told before the page can leave: the platform ends what belongs to its request then, but for this. The page's job is
    // still to be cancelled, or its owner to be kept.
    if (!this.#shared) context.waitUntil?.(answer.then(() => firstValueFrom(settled(client, endpoints))));
    return this.#access.withCors(request, await answer);
  }

  #answer(request: Request, endpoints: Endpoints): Observable<Response> {
    if (this.#access.isForeign(request)) return of(errorAnswer(403, 'pages of other sites may not call'));
    const { pathname, searchParams: query } = new URL(request.url);
    if (this.#events && pathname === `${this.#basePath}/events`) return this.#connect(request, this.#events);
    const route = this.#routeOf(pathname);
    const proxy = endpoints.get(route?.endpointId ?? '');
    if (!route || !proxy?.given.options.operations.includes(route.operation)) return of(this.#nothingAt(pathname));
    if (request.method !== route.method) return of(wrongMethod(route.method));
    const answer$ = this.#userOf(request).pipe(
      concatMap((user) =>
        this.#refusalOf(route, user).pipe(
          concatMap((refusal) => {
            if (refusal) return of(refusal);
            return isSubmission(route)
              ? submitForPage({ proxy, route, request, query, user })
              : proxy.answer(route, query, { user, signal: request.signal });
          }),
        ),
      ),
      catchError((error: unknown) => of(errorResponse(error))),
    );
    // A page that closes cancels its jobs, and does not stay for the answer.
    return route.operation === 'cancel' ? onToItsEnd(proxy, answer$) : answer$;
  }

  #connect(request: Request, events: PageEvents): Observable<Response> {
    if (request.method !== 'GET') return of(wrongMethod('GET'));
    return this.#userOf(request).pipe(
      map((user) => events.connect(user, request)),
      catchError((error: unknown) => of(errorResponse(error))),
    );
  }

  /** A path that is not the proxy's is a mistake of who has mounted it: the answer says which paths are. */
  #nothingAt(pathname: string): Response {
    const hint = this.#isBelow(pathname) ? '' : `: the proxy answers below its basePath, which is ${this.#basePath}`;
    return errorAnswer(404, `there is nothing at this address${hint}`);
  }

  #isBelow(pathname: string): boolean {
    return pathname.startsWith(`${this.#basePath}/`);
  }

  #routeOf(pathname: string): Route | undefined {
    return this.#isBelow(pathname) ? routeOf(pathname.slice(this.#basePath.length)) : undefined;
  }

  /** The user who sends a request. Errors with a `Refusal`. */
  #userOf(request: Request): Observable<string> {
    return eventually(() => this.#options.user(request)).pipe(
      catchError((error: unknown) => {
        if (error instanceof Refusal) return throwError(() => error);
        reportUnhandled(error);
        return of(undefined);
      }),
      map((user) => {
        if (typeof user === 'string' && user) return user;
        throw new Refusal(401, 'who sends this is not known');
      }),
    );
  }

  /** The answer where a job is not there for a user, or where that cannot be known now. */
  #refusalOf(route: Route, user: string): Observable<Response | undefined> {
    const { endpointId, id } = route;
    if (id === undefined) return of(undefined);
    return eventually(() => this.#owners.get({ endpointId, id })).pipe(
      map((found) => (found === user ? undefined : noSuchJob())),
      catchError((error: unknown) => {
        reportUnhandled(error);
        return of(errorAnswer(isSubmission(route) ? NOT_SENT : 503, 'the owner of the job is not known now'));
      }),
    );
  }

  #endpointsOf(client: Runpod): Endpoints {
    const { endpoints, onDisconnect = 'cancel', maxBody = DEFAULT_MAX_BODY } = this.#options;
    return new Map(
      Object.entries(endpoints).map(([endpointId, options]) => [
        endpointId,
        new EndpointProxy({
          client,
          endpointId,
          options,
          owners: this.#owners,
          quotas: this.#quotas.get(endpointId) as Quotas,
          onDisconnect,
          maxBody,
          scheduler: this.#scheduler,
          events: this.#events,
          keepsStreams: !onWorkerd(),
        }),
      ]),
    );
  }
}

function wrongMethod(allowed: string): Response {
  return errorAnswer(405, `the method is ${allowed}`, { allow: allowed });
}

/** Emits once, when nothing goes on any more of what a page has left. */
function settled(client: Runpod, endpoints: Endpoints): Observable<unknown> {
  const detached = [...endpoints.values()].flatMap((proxy) => [...proxy.detached]);
  return concat(
    ...detached,
    defer(() => client.settled()),
  ).pipe(last());
}

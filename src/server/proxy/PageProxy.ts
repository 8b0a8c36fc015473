import { catchError, concatMap, firstValueFrom, map, of, throwError, type Observable, type SchedulerLike } from 'rxjs';
import { reportUnhandled } from '../../errors/reportUnhandled.js';
import type { Runpod } from '../../index.js';
import { durationScheduler } from '../../time/clocks.js';
import type { HandlerContext } from '../Handler.js';
import { errorAnswer } from './answers.js';
import { PageEvents } from '../events/PageEvents.js';
import { EndpointProxy } from './EndpointProxy.js';
import { errorResponse, noSuchJob } from './errorResponse.js';
import { eventually } from './eventually.js';
import { memoryOwners } from './memoryOwners.js';
import { onWorkerd } from './onWorkerd.js';
import type { OwnerStore } from './OwnerStore.js';
import { PageAccess } from './PageAccess.js';
import type { ProxyOptions } from './ProxyOptions.js';
import { Quotas } from './Quotas.js';
import { Refusal } from './Refusal.js';
import { routeOf, type Route } from './route.js';
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
    const answering = untilLeft(this.#answer(request, endpoints), request.signal);
    // The job of a page that has left is cancelled afterwards. Said at once: when a page leaves, the platform ends what it was
    // not asked to wait for.
    context.waitUntil?.(answering.then(() => firstValueFrom(client.settled())));
    return this.#access.withCors(request, await answering);
  }

  #answer(request: Request, endpoints: Endpoints): Observable<Response> {
    if (this.#access.isForeign(request)) return of(errorAnswer(403, 'pages of other sites may not call'));
    const { pathname, searchParams: query } = new URL(request.url);
    if (this.#events && pathname === `${this.#basePath}/events`) return this.#connect(request, this.#events);
    const route = this.#routeOf(pathname);
    const proxy = endpoints.get(route?.endpointId ?? '');
    if (!route || !proxy?.given.options.operations.includes(route.operation))
      return of(errorAnswer(404, 'there is nothing at this address'));
    if (request.method !== route.method) return of(wrongMethod(route.method));
    return this.#userOf(request).pipe(
      concatMap((user) =>
        this.#mayReach(route, user).pipe(
          concatMap((mayReach) => {
            if (!mayReach) return of(noSuchJob());
            const submits = route.operation === 'run' || route.operation === 'runsync' || route.operation === 'retry';
            return submits ? submitForPage({ proxy, route, request, query, user }) : proxy.answer(route, query, user);
          }),
        ),
      ),
      catchError((error: unknown) => of(errorResponse(error))),
    );
  }

  #connect(request: Request, events: PageEvents): Observable<Response> {
    if (request.method !== 'GET') return of(wrongMethod('GET'));
    return this.#userOf(request).pipe(
      map((user) => events.connect(user, request)),
      catchError((error: unknown) => of(errorResponse(error))),
    );
  }

  #routeOf(pathname: string): Route | undefined {
    const path = pathname.startsWith(`${this.#basePath}/`) ? pathname.slice(this.#basePath.length) : '';
    return routeOf(path);
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

  /** Whether a job is there for a user. Without a job in the route, there is nothing to reach. */
  #mayReach({ endpointId, id }: Route, user: string): Observable<boolean> {
    if (id === undefined) return of(true);
    return eventually(() => this.#owners.get({ endpointId, id })).pipe(map((found) => found === user));
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
        }),
      ]),
    );
  }
}

function wrongMethod(allowed: string): Response {
  return errorAnswer(405, `the method is ${allowed}`, { allow: allowed });
}

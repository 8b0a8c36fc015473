import { catchError, concatMap, map, of, tap, throwError, type Observable } from 'rxjs';
import type { JobRequest } from '../../index.js';
import { reportUnhandled } from '../../errors/reportUnhandled.js';
import { eventually } from '../eventually.js';
import type { ProxyEndpoint } from './ProxyOptions.js';
import { readJson } from './readJson.js';
import { Refusal } from './Refusal.js';

/** What a {@link pageRequest} is made of. */
interface PageSource {
  readonly request: Request;
  readonly user: string;
  readonly options: ProxyEndpoint;
  /** In bytes. */
  readonly maxBody: number;
}

/**
 * The request that the server sends for a page: the page's input, checked, and nothing else of what the page has sent. Errors
 * with a `Refusal`.
 */
export function pageRequest({ request, user, options, maxBody }: PageSource): Observable<JobRequest<object>> {
  const { input: check, policy, request: complete } = options;
  return readJson(request, maxBody).pipe(
    map(({ input }) => {
      if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as JobRequest['input'];
      throw new Refusal(400, 'the body has no input, which must be an object');
    }),
    concatMap((input) => (check ? hook('input', () => check(input, user)) : of(input))),
    map((input) => ({ input, ...(policy && { policy }) }) as JobRequest),
    concatMap((made) => (complete ? hook('request', () => complete(made, user)) : of(made))),
  );
}

/** Calls a function of the server's. The page is told what a `Refusal` says; the words of another error are not for it. */
function hook<T>(name: string, call: Parameters<typeof eventually<T>>[0]): Observable<T> {
  return eventually(call).pipe(
    tap((given) => {
      if (typeof given !== 'object' || given === null)
        throw new TypeError(`the function ${name} of the proxy returned no object`);
    }),
    catchError((error: unknown) => {
      if (error instanceof Refusal) return throwError(() => error);
      reportUnhandled(error);
      return throwError(() => new Refusal(400, `the ${name} was refused`));
    }),
  );
}

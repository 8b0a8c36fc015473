import { of } from 'rxjs';
import type { Observable } from 'rxjs';
import type { EmulatorKey } from '../../EmulatorOptions.js';
import type { Answer, EmulatorRequest } from '../../index.js';
import type { Inspection } from '../../inspect/Inspection.js';
import type { RequestRecord } from '../../RequestRecord.js';
import { empty, json } from '../../model/answers.js';
import { opensAnything } from '../../model/keys.js';
import { ClientCounts } from './ClientCounts.js';
import { eventAnswer } from './eventAnswer.js';
import { ChangeFeed } from './ChangeFeed.js';
import type { FeedQuery } from './FeedEvent.js';
import { JobNotices } from './JobNotices.js';
import { presentedKey } from './presentedKey.js';
import { PAGE_HEADERS, servePage, servePageFile } from './servePage.js';

/** The address of everything that belongs to the page but the page itself. */
const PREFIX = '/__emulator/dashboard/';

/** The page's own way to the queue API, in the form of a `baseUrl`. */
const API = `${PREFIX}v2/`;

/** The page at the emulator's root, its data, and its own way to the queue API. */
export class Dashboard {
  readonly #inspection: Inspection;
  readonly #keys: readonly EmulatorKey[] | undefined;
  readonly #clients: ClientCounts;
  readonly #notices: JobNotices;

  constructor(inspection: Inspection, requests$: Observable<RequestRecord>, keys: readonly EmulatorKey[] | undefined) {
    this.#inspection = inspection;
    this.#keys = keys;
    this.#clients = new ClientCounts(requests$);
    this.#notices = new JobNotices(inspection);
  }

  /** Whether a request, whose path is in its normal form, is for the dashboard. */
  owns({ url }: EmulatorRequest): boolean {
    return pathOf(url) === '/' || url.startsWith(PREFIX);
  }

  /**
   * Emits the answer to a request.
   *
   * @param isRead - whether the client has read what it was sent, where the answer is a stream of events
   */
  answer(request: EmulatorRequest, isRead: () => boolean): Observable<Answer> {
    const refusal = this.#refusal(request);
    if (refusal) return of(refusal);
    const { url, method } = request;
    if (url.startsWith(API) && pathOf(url) !== `${API}events`) {
      return this.#inspection.handle(this.#withBearer(request), (job) => this.#notices.follow(job));
    }
    if (method !== 'GET') return of(empty(405, { allow: 'GET' }));
    return of(this.#read(request, isRead));
  }

  close(): void {
    this.#clients.close();
  }

  /** Where there are keys, the page needs one, on this machine, too: what it sends runs handlers. */
  #refusal({ headers }: EmulatorRequest): Answer | undefined {
    if (!this.#keys || opensAnything(this.#keys, presentedKey(headers))) return undefined;
    return {
      status: 401,
      headers: {
        ...PAGE_HEADERS,
        'content-type': 'text/plain; charset=utf-8',
        'www-authenticate': 'Basic realm="runpod-rx emulator: a key as the password", charset="UTF-8"',
      },
      text: 'This emulator has keys (--key). Give one of them as the password; any user name will do.\n',
    };
  }

  #read(request: EmulatorRequest, isRead: () => boolean): Answer {
    const { pathname, searchParams } = new URL(request.url, 'http://localhost');
    switch (pathname) {
      case '/':
        return servePage(request);
      case `${API}events`:
        return eventAnswer(this.#notices.connect());
      case `${PREFIX}events`: {
        const query = Object.fromEntries(searchParams) as FeedQuery; // its members are texts
        return eventAnswer(new ChangeFeed(this.#inspection, this.#clients, query).events(isRead));
      }
      default:
        return servePageFile(pathname.slice(PREFIX.length)) ?? json(404, { message: 'Not Found' });
    }
  }

  /** The request with its key in the form that the queue API takes. */
  #withBearer(request: EmulatorRequest): EmulatorRequest {
    const authorization = `Bearer ${presentedKey(request.headers)}`;
    return this.#keys ? { ...request, headers: { ...request.headers, authorization } } : request;
  }
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? '';
}

import { DOCUMENT, DestroyRef, NgZone, PLATFORM_ID, REQUEST, inject } from '@angular/core';
import { PlatformLocation, isPlatformServer } from '@angular/common';
import { EMPTY, catchError, concatMap, defer, startWith, type Observable } from 'rxjs';
import {
  ConfigurationError,
  createRunpod,
  vouchedNotice,
  type ClientOptions,
  type Link,
  type Runpod,
  type VouchedNotice,
} from '../index.js';
import { isLoopback } from '../protocol/loopback.js';
import { httpClientTransport } from './httpClientTransport.js';
import { pageFetch } from './pageFetch.js';
import type { RunpodFeatureSettings, RunpodProviderOptions } from './RunpodProviderOptions.js';
import type { RunpodSlot } from './RunpodSlot.js';
import { withholdAllSubmissions, withholdSubmissions } from './withholdSubmissions.js';

/** Makes the client of a `provideRunpod`, in the injection context of its injector, which closes it. */
export function createClient(slot: RunpodSlot): Runpod {
  const { options, features } = slot;
  const zone = inject(NgZone);
  const given = typeof options === 'function' ? options() : options;
  if (given.scheduler) slot.scheduler = given.scheduler;
  const onServer = isPlatformServer(inject(PLATFORM_ID));
  const settings = onServer ? serverSettings(given, features) : pageSettings(given, features);
  // Before the client's own listener, since the transport must know that the injector is gone when cancels are sent.
  const transport = given.transport ?? (features.fetch ? pageFetch() : httpClientTransport());
  const { allowBrowser, ...others } = given;
  // The environment's key is the server's own. It must not go to a proxy by accident.
  const client = zone.runOutsideAngular(() => createRunpod({ apiKey: () => '', ...others, ...settings, transport }));
  const close = () => {
    // It acts at the call. What comes of the cancels, `settled()` reports.
    zone.runOutsideAngular(() => {
      void client.close();
    });
  };
  inject(DestroyRef).onDestroy(close);
  if (!onServer && features.pageHide !== 'nothing') onPageGone(close);
  return client;
}

const BASE_URL = '/api/runpod';

function pageSettings(
  { apiKey, baseUrl = BASE_URL, allowBrowser = false, notices }: RunpodProviderOptions,
  { events }: RunpodFeatureSettings,
): Partial<ClientOptions> {
  const { baseURI } = inject(DOCUMENT);
  if (apiKey !== undefined && !allowBrowser && !isLoopback(new URL(baseUrl, baseURI).hostname)) {
    const why = 'in a page every visitor can read the API key: use a server of your own (baseUrl), or set allowBrowser';
    throw new ConfigurationError(why, { operation: 'provideRunpod' });
  }
  if (!events) return { baseUrl };
  const [path = '', query] = baseUrl.split('?');
  const url = events === true ? `${path.replace(/\/+$/, '')}/events${query ? `?${query}` : ''}` : events;
  return { baseUrl, notices: notices ?? pushedNotices(url) };
}

/** What the server pushes. The code for it is loaded with the first job that is followed, so pages without events have none of it. */
function pushedNotices(url: string): Observable<VouchedNotice> {
  // eslint-disable-next-line no-restricted-syntax -- a bundler sees it, and makes a chunk of it
  return defer(() => import('../events/eventNotices.js')).pipe(
    // Without the code, the client reads its jobs.
    catchError(() => EMPTY),
    concatMap(({ eventNotices }) => eventNotices(url)),
    // Before the first read: a proxy with events keeps streams.
    startWith(vouchedNotice(undefined, { keepsStreams: true })),
  );
}

/** On a server there is no page that a base URL could be relative to, and nothing is submitted unless that was asked for. */
function serverSettings(
  { apiKey, baseUrl = BASE_URL, links = [], allowInsecure }: RunpodProviderOptions,
  { serverJobs = false }: RunpodFeatureSettings,
): Partial<ClientOptions> {
  const { href } = new URL(baseUrl, inject(PlatformLocation).href);
  const isRelative = !URL_SCHEME.test(baseUrl);
  return {
    baseUrl: href,
    // Without a key there is none that could be read on its way to the page's own server.
    allowInsecure: allowInsecure ?? (isRelative && apiKey === undefined),
    links: [...submissionLinks(serverJobs), ...links],
  };
}

const URL_SCHEME = /^[a-z][a-z\d+.-]*:/i;

function submissionLinks(serverJobs: boolean): Link[] {
  if (isPrerendering()) return [withholdAllSubmissions];
  return serverJobs ? [] : [withholdSubmissions];
}

/** Whether a page is rendered for nobody's request: when the application is built. To be asked on a server only. */
export function isPrerendering(): boolean {
  return inject(REQUEST, { optional: true }) === null;
}

/** Calls the listener when the page goes away for good. One that goes into the back/forward cache may come back. */
function onPageGone(listener: () => void): void {
  const { defaultView: page } = inject(DOCUMENT);
  if (!page) return;
  const onHide = ({ persisted }: PageTransitionEvent) => {
    if (!persisted) listener();
  };
  page.addEventListener('pagehide', onHide);
  inject(DestroyRef).onDestroy(() => {
    page.removeEventListener('pagehide', onHide);
  });
}

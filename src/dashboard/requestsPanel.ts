import { tap, type Observable } from 'rxjs';
import type { RequestRecord } from '../emulator/index.js';
import type { ClientCount } from '../emulator/server/dashboard/FeedEvent.js';
import { arrange, byId, element, setText } from './dom.js';
import type { PageEvent } from './feed.js';
import { count, counted, duration } from './format.js';
import type { Page } from './Page.js';
import { linkTo } from './selection.js';

/** How many requests the page shows: the latest. */
const MAX_ROWS = 100;

interface Shown {
  readonly request: RequestRecord;
  readonly row: HTMLElement;
}

/** The latest requests of clients, and how many each client has sent. */
export function requestsPanel({ feed$ }: Page): Observable<unknown> {
  let shown = new Map<number, Shown>();
  return feed$.pipe(
    tap(({ isFirst, requests = [], state }) => {
      if (state) {
        showTotals(state.requests);
        byId('client-rows').replaceChildren(...state.clients.map(clientRow));
      }
      if (!isFirst && requests.length === 0) return;
      const news = requests.map((request) => [request.seq, entryOf(request, shown.get(request.seq))] as const);
      shown = latest(new Map([...(isFirst ? [] : shown), ...news]));
      arrange(
        byId('request-rows'),
        [...shown.values()].map(({ row }) => row),
      );
      byId('no-requests').hidden = shown.size > 0;
    }),
  );
}

function entryOf(request: RequestRecord, before: Shown | undefined): Shown {
  const isKnown = before && JSON.stringify(before.request) === JSON.stringify(request);
  return isKnown ? before : { request, row: requestRow(request) };
}

/** The newest first. */
function latest(shown: ReadonlyMap<number, Shown>): Map<number, Shown> {
  return new Map([...shown].sort(([one], [other]) => other - one).slice(0, MAX_ROWS));
}

function showTotals({ total, byStatus }: NonNullable<PageEvent['state']>['requests']): void {
  const limited = byStatus['429'] ?? 0;
  setText(byId('request-count'), `${counted(total, 'request')}, ${count(limited)} answered 429`);
}

function requestRow({
  method,
  path,
  jobId,
  status,
  failure,
  aborted,
  fault,
  at,
  endedAt,
  userAgent = '',
  key,
}: RequestRecord) {
  const address = `${method} ${path.replace(/^\/v2\//, '')}`;
  const name =
    jobId === undefined ? element('code', {}, address) : element('a', { href: linkTo(jobId), title: address }, address);
  const client = key === undefined ? userAgent : `${userAgent} · key ${key}`;
  const struck = fault === undefined ? [] : [' ', element('span', { class: 'tag amber' }, fault)];
  return element(
    'tr',
    {},
    element('td', { class: 'long' }, name),
    element('td', {}, answerTag({ status, failure, aborted, endedAt }), ...struck),
    element('td', { class: 'number' }, endedAt === undefined ? '' : duration(endedAt - at)),
    element('td', { class: 'long', title: client }, client),
  );
}

function answerTag({
  status,
  failure,
  aborted,
  endedAt,
}: { [K in 'status' | 'failure' | 'aborted' | 'endedAt']: RequestRecord[K] | undefined }) {
  const tag = (words: string, colour = '') => element('span', { class: `tag ${colour}` }, words);
  if (endedAt === undefined) return tag('in flight', 'blue');
  if (status === undefined) return aborted ? tag('client left') : tag(failure ?? 'no answer', 'red');
  if (status === 429) return tag('429', 'amber');
  return tag(String(status), status < 400 ? 'green' : 'red');
}

function clientRow({ client, requests, limited, failed }: ClientCount): HTMLElement {
  const number = (value: number, colour: string) =>
    element('td', { class: 'number' }, value === 0 ? '0' : element('span', { class: `tag ${colour}` }, count(value)));
  return element(
    'tr',
    {},
    element('td', { class: 'long', title: client }, client),
    element('td', { class: 'number' }, count(requests)),
    number(limited, 'amber'),
    number(failed, 'red'),
  );
}

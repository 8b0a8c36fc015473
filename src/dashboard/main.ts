import { BehaviorSubject, Subject, combineLatest, distinctUntilChanged, map, merge } from 'rxjs';
import { endpointCards } from './endpointCards.js';
import { faultsPanel } from './faultsPanel.js';
import { liveFeed } from './feed.js';
import { jobDetails } from './jobDetails.js';
import { jobFilter } from './jobFilter.js';
import { jobTable } from './jobTable.js';
import type { Draft, Filter, Page } from './Page.js';
import { pageHeader } from './pageHeader.js';
import { requestsPanel } from './requestsPanel.js';
import { selected$ } from './selection.js';
import { sendForm } from './sendForm.js';

const filter$ = new BehaviorSubject<Filter>({ status: '', endpoint: '', search: '' });
const query$ = combineLatest([filter$, selected$]).pipe(
  map(([filter, job]) => ({ ...filter, job })),
  distinctUntilChanged((one, other) => JSON.stringify(one) === JSON.stringify(other)),
);
const { feed$, isLive$ } = liveFeed(query$);
const page: Page = { feed$, filter$, selected$, drafts$: new Subject<Draft>() };

merge(
  pageHeader(isLive$),
  endpointCards(page),
  jobFilter(page),
  jobTable(page),
  jobDetails(page),
  sendForm(page),
  faultsPanel(page),
  requestsPanel(page),
).subscribe({
  error: (error: unknown) => {
    reportError(error);
  },
});

import type { BehaviorSubject, Observable, Subject } from 'rxjs';
import type { PageEvent } from './feed.js';

/** Which jobs the table shows. Empty texts are no bounds. */
export interface Filter {
  readonly status: string;
  readonly endpoint: string;
  readonly search: string;
}

/** A job that is not sent yet. */
export interface Draft {
  readonly endpoint: string;
  /** The input as JSON. */
  readonly input: string;
}

/** What the parts of the page share. Each part is a function of it that returns what it does, for one subscription. */
export interface Page {
  readonly feed$: Observable<PageEvent>;
  readonly filter$: BehaviorSubject<Filter>;
  /** The id of the job whose details are shown; an empty text for none. */
  readonly selected$: Observable<string>;
  /** Drafts to put into the form. */
  readonly drafts$: Subject<Draft>;
}

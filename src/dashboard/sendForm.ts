import { EMPTY, catchError, exhaustMap, filter, fromEvent, map, merge, switchMap, tap, type Observable } from 'rxjs';
import { client } from './client.js';
import { byId, first, setOptions, setText } from './dom.js';
import type { Page } from './Page.js';
import { inputProblem } from './inputProblem.js';
import { SentJob } from './SentJob.js';
import { select } from './selection.js';
import { tidyJson } from './tidyJson.js';

/** A job to send. */
interface Order {
  readonly endpoint: string;
  readonly input: object;
  readonly stream: boolean;
}

/** The form that sends a job. The job is followed until it is over or the next one is sent; it goes on in any case. */
export function sendForm({ feed$, drafts$ }: Page): Observable<unknown> {
  const form = byId('send') as HTMLFormElement;
  const endpoint = first<HTMLSelectElement>(form, '[name=endpoint]');
  const input = first<HTMLTextAreaElement>(form, '[name=input]');
  const stream = first<HTMLInputElement>(form, '[name=stream]');
  const go = first<HTMLButtonElement>(form, '[name=go]');
  const check = (): boolean => {
    const problem = inputProblem(input.value);
    setText(byId('input-problem'), problem);
    input.setAttribute('aria-invalid', String(problem !== ''));
    go.disabled = problem !== '';
    return problem === '';
  };

  const endpoints$ = feed$.pipe(
    tap(({ state }) => {
      if (state)
        setOptions(
          endpoint,
          Object.keys(state.endpoints).map((id) => [id, id]),
        );
    }),
  );
  const tidy$ = fromEvent(first(form, '[name=tidy]'), 'click').pipe(
    filter(check),
    tap(() => (input.value = tidyJson(input.value))),
  );
  const filled$ = drafts$.pipe(
    tap((draft) => {
      select('');
      endpoint.value = draft.endpoint;
      input.value = tidyJson(draft.input);
      check();
      input.focus();
    }),
  );
  const shortcut$ = fromEvent<KeyboardEvent>(form, 'keydown').pipe(
    filter(({ key, ctrlKey, metaKey }) => key === 'Enter' && (ctrlKey || metaKey)),
    tap(() => form.requestSubmit(go)),
  );
  const orders$ = fromEvent(form, 'submit').pipe(
    tap((event) => event.preventDefault()),
    filter(check),
    map((): Order => {
      const value = JSON.parse(input.value) as object; // `check` has seen that it is an object
      return { endpoint: endpoint.value, input: value, stream: stream.checked };
    }),
  );
  const sent$ = orders$.pipe(switchMap(send));
  return merge(endpoints$, tidy$, filled$, shortcut$, sent$, fromEvent(input, 'input').pipe(tap(check)));
}

/** Sends a job, and shows what the client tells of it. Whoever leaves it leaves it running. */
function send({ endpoint, input, stream }: Order): Observable<unknown> {
  const view = new SentJob();
  const job = client
    .endpoint<object>(endpoint)
    .job({ input }, { stream, onUnsubscribe: 'detach', allowEmptyInput: true });
  const events$ = job.events$.pipe(tap((event) => view.show(event)));
  const cancels$ = fromEvent(view.cancel, 'click').pipe(exhaustMap(() => job.cancel()));
  return merge(events$, cancels$).pipe(
    catchError((error: unknown) => {
      view.fail(error);
      return EMPTY;
    }),
  );
}

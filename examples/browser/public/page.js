import { EMPTY, catchError, finalize, fromEvent, map, switchMap, takeUntil, tap } from 'rxjs';
import { createRunpod } from 'runpod-rx';
import { eventNotices } from 'runpod-rx/events';
import { fetchTransport } from 'runpod-rx/fetch';

const client = createRunpod({
  transport: fetchTransport(),
  baseUrl: '/api/runpod',
  // The server tells of every change by one connection, so that the page need not ask.
  notices: eventNotices('/api/runpod/events'),
});
const endpoint = client.endpoint(await (await fetch('/endpoint-id')).text());

const form = document.querySelector('form');
const { prompt, cancel } = form.elements;

fromEvent(form, 'submit')
  .pipe(
    tap((event) => event.preventDefault()),
    map(() => prompt.value),
    // A new job takes the place of the one before, which is cancelled: nobody looks at it any more.
    switchMap((text) => follow(endpoint.job({ input: { prompt: text } }), text)),
  )
  .subscribe();

/** Shows a job in a line of its own, until it is over or the button is clicked. */
function follow(job, text) {
  const line = newLine(text);
  cancel.disabled = false;
  let isOver = false;
  return job.state$.pipe(
    tap({
      next: (snapshot) => line.show(snapshot.status, snapshot.output ?? snapshot.progress),
      complete: () => (isOver = true),
    }),
    catchError((error) => {
      isOver = true;
      line.show('FAILED', error.message);
      return EMPTY;
    }),
    takeUntil(fromEvent(cancel, 'click')),
    // Whoever leaves a job before it is over has it cancelled.
    finalize(() => {
      cancel.disabled = true;
      if (!isOver) line.show('CANCELLED');
    }),
  );
}

function newLine(text) {
  const line = document.createElement('li');
  const state = line.appendChild(document.createElement('b'));
  const content = line.appendChild(document.createElement('span'));
  content.textContent = text;
  document.querySelector('ol').prepend(line);
  return {
    show(status, value) {
      line.dataset.status = status;
      state.textContent = status.toLowerCase().replace('_', ' ');
      if (value !== undefined) content.textContent = typeof value === 'string' ? value : JSON.stringify(value);
    },
  };
}

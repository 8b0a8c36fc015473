import { fromEvent, map, switchMap, takeUntil, tap } from 'rxjs';
import { createRunpod } from 'runpod-rx';
import { eventNotices } from 'runpod-rx/events';
import { fetchTransport } from 'runpod-rx/fetch';

const client = createRunpod({
  transport: fetchTransport(),
  baseUrl: '/api/runpod',
  notices: eventNotices('/api/runpod/events'),
});
const endpoint = client.endpoint(await (await fetch('/endpoint-id')).text());

const form = document.querySelector('form');
const list = document.querySelector('ol');
const { prompt, run, cancel } = form.elements;

/** Shows a job in a line of its own. */
function show(job, text) {
  const line = list.appendChild(document.createElement('li'));
  const state = line.appendChild(document.createElement('b'));
  const output = line.appendChild(document.createElement('span'));
  output.textContent = text;
  return job.state$.pipe(
    tap((snapshot) => {
      state.textContent = snapshot.status.toLowerCase().replace('_', ' ');
      line.dataset.status = snapshot.status;
      if ('progress' in snapshot) output.textContent = JSON.stringify(snapshot.progress);
      if (snapshot.status === 'COMPLETED') output.textContent = JSON.stringify(snapshot.output);
    }),
  );
}

fromEvent(form, 'submit')
  .pipe(
    tap((event) => event.preventDefault()),
    map(() => prompt.value),
    // A new job cancels the one before: nobody looks at it any more.
    switchMap((text) => {
      run.disabled = false;
      cancel.disabled = false;
      return show(endpoint.job({ input: { prompt: text } }), text).pipe(takeUntil(fromEvent(cancel, 'click')));
    }),
  )
  .subscribe({
    error: (error) => list.append(Object.assign(document.createElement('li'), { textContent: error.message })),
  });

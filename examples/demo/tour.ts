import { concat, defer, type Observable } from 'rxjs';
import { startEmulator, type ListeningEmulator } from 'runpod-rx/emulator';
import { accountant, librarian, painter, renderer, searcher, writer } from './handlers/index.js';
import type { Stage } from './Stage.js';
import { cancel } from './steps/cancel.js';
import { fail } from './steps/fail.js';
import { health } from './steps/health.js';
import { leave } from './steps/leave.js';
import { paint } from './steps/paint.js';
import { reload } from './steps/reload.js';
import { render } from './steps/render.js';
import { suggest } from './steps/suggest.js';
import { write } from './steps/write.js';

/** The only key that the local RunPod accepts. */
export const KEY = 'key-of-the-demo';

const endpoints = {
  writer: { handler: writer, aggregate: true, coldStart: 900, workers: 1 },
  painter: { handler: painter, coldStart: 600, workers: 3 },
  accountant: { handler: accountant, coldStart: 300, workers: 1 },
  searcher: { handler: searcher, workers: 1 },
  librarian: { handler: librarian, workers: 1 },
  renderer: { handler: renderer(), coldStart: 400, workers: 6 },
};

/** Starts a local RunPod over HTTP. */
export function localRunpod(): Promise<ListeningEmulator> {
  return startEmulator({ endpoints, keys: [KEY] });
}

/** Shows all steps of the tour, one after the other. */
export function tour(stage: Stage, emulator: ListeningEmulator): Observable<unknown> {
  const { screen } = stage;
  const ledger = () => emulator.jobs();
  const step = (title: string, show: () => Observable<unknown>) =>
    defer(() => {
      screen.title(title);
      return show();
    });
  return concat(
    defer(() => {
      screen.line(`A local RunPod listens at ${emulator.baseUrl}`);
      return [];
    }),
    step('1  A job that streams what it writes', () => write(stage)),
    step('2  Three jobs at once, with progress', () => paint(stage)),
    step('3  A job that fails', () => fail(stage)),
    step('4  A job that is cancelled', () => cancel(stage, ledger)),
    step('5  Unsubscribing: the client cancels the job on the server', () => leave(stage, ledger)),
    step('6  A page that is reloaded: the job goes on', () => reload(stage)),
    step('7  Typing: switchMap cancels the previous job', () => suggest(stage, emulator)),
    step('8  A pipeline: a large picture, in squares', () => render(stage)),
    step('9  Health', () => health(stage, Object.keys(endpoints))),
    defer(() => {
      const jobs = emulator.jobs().length;
      screen.title(`${jobs} jobs, ${emulator.requests().length} requests.`);
      return [];
    }),
  );
}

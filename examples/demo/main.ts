import {
  catchError,
  defaultIfEmpty,
  firstValueFrom,
  forkJoin,
  fromEvent,
  ignoreElements,
  map,
  merge,
  of,
  take,
  tap,
  type Observable,
} from 'rxjs';
import { isRunpodError, runpod, type Runpod, type SettleReport } from 'runpod-rx';
import { HELP, modeOf, type Mode } from './options.js';
import { Screen } from './Screen.js';
import { service } from './service.js';
import type { Stage } from './Stage.js';
import { KEY, localRunpod, tour } from './tour.js';
import { UsageError } from './UsageError.js';

/** What a mode connects to, shows, and closes. */
interface Demo {
  readonly connect: () => Runpod;
  readonly show: (stage: Stage) => Observable<unknown>;
  readonly close?: () => Promise<void>;
}

async function open(mode: Exclude<Mode, { readonly name: 'help' }>): Promise<Demo> {
  if (mode.name === 'service') return { connect: () => runpod(), show: (stage) => service(stage, mode.request) };
  const emulator = await localRunpod();
  return {
    connect: () => runpod({ baseUrl: emulator.baseUrl, apiKey: KEY }),
    show: (stage) => tour(stage, emulator),
    close: emulator.close,
  };
}

/** Shows a demo to its end, its first error or the first Ctrl-C, and gives the exit code. */
async function run({ connect, show, close }: Demo): Promise<number> {
  const screen = new Screen();
  const client = connect();
  const clients = [client];
  const reload = () => {
    const another = connect();
    clients.push(another);
    return another;
  };

  const shown$ = show({ client, screen, reload }).pipe(
    ignoreElements(),
    catchError((error: unknown) => {
      screen.line(`  ${screen.style(wordsOf(error), 'red')}`);
      return of(1);
    }),
    defaultIfEmpty(0),
  );
  const interrupted$ = fromEvent(process, 'SIGINT').pipe(
    tap(() => screen.line('Cancelling running jobs; a second Ctrl-C ends the demo at once.')),
    map(() => 130),
  );
  // `take(1)` unsubscribes from both. So Ctrl-C unsubscribes from the demo, and the client cancels its jobs.
  const code = await firstValueFrom(merge(shown$, interrupted$).pipe(take(1)));

  const reports = await firstValueFrom(forkJoin(clients.map((one) => one.close())));
  if (code === 130) {
    const count = (what: keyof SettleReport) => reports.reduce((sum, report) => sum + report[what].length, 0);
    screen.line(
      `Settled: ${count('cancelled')} cancelled, ${count('finished')} finished, ${count('abandoned')} abandoned.`,
    );
  }
  await close?.();
  return code;
}

function wordsOf(error: unknown): string {
  return isRunpodError(error) ? `${error.message} (${error.code})` : String(error);
}

try {
  const mode = modeOf(process.argv.slice(2), process.env);
  if (mode.name === 'help') console.log(HELP);
  else process.exitCode = await run(await open(mode));
} catch (error) {
  // A wrong base URL is a mistake of the user, like a wrong option.
  const usage = error instanceof UsageError || isRunpodError(error, 'configuration');
  console.error(usage ? `${error.message}\nnpm run demo -- --help says how to use it.` : error);
  process.exitCode = usage ? 2 : 1;
}

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
import { isRunpodError, runpod, type JobSnapshot, type Runpod } from 'runpod-rx';
import { HELP, modeOf, type Mode } from './options.js';
import { Screen } from './Screen.js';
import { service } from './service.js';
import type { Stage } from './Stage.js';
import { KEY, localRunpod, tour } from './tour.js';
import { UsageError } from './UsageError.js';

/** What a mode needs, and how it ends. */
interface Demo {
  readonly client: Runpod;
  readonly show: (stage: Stage) => Observable<unknown>;
  readonly close?: () => Promise<void>;
}

async function open(mode: Exclude<Mode, { readonly name: 'help' }>): Promise<Demo> {
  if (mode.name === 'service') return { client: runpod(), show: (stage) => service(stage, mode.request) };
  const emulator = await localRunpod();
  return {
    client: runpod({ baseUrl: emulator.baseUrl, apiKey: KEY }),
    show: (stage) => tour(stage, emulator),
    close: emulator.close,
  };
}

/** Shows a demo to its end, its first error or the first Ctrl-C, and gives the exit code. */
async function run({ client, show, close }: Demo): Promise<number> {
  const screen = new Screen();
  const cancels: Observable<JobSnapshot>[] = [];
  const stage: Stage = { client, screen, cancelling: (answer$) => cancels.push(answer$) };

  const shown$ = show(stage).pipe(
    ignoreElements(),
    catchError((error: unknown) => {
      screen.line(`  ${screen.style(wordsOf(error), 'red')}`);
      return of(1);
    }),
    defaultIfEmpty(0),
  );
  const interrupted$ = fromEvent(process, 'SIGINT').pipe(
    tap(() => screen.line('Cancelling what runs; Ctrl-C again stops at once.')),
    map(() => 130),
  );
  // Taking one value leaves the other source: at a Ctrl-C that is the demo, whose jobs are then cancelled.
  const code = await firstValueFrom(merge(shown$, interrupted$).pipe(take(1)));

  const own = await firstValueFrom(
    forkJoin(cancels.map((answer$) => answer$.pipe(catchError(() => of(undefined))))).pipe(defaultIfEmpty([])),
  );
  const report = await firstValueFrom(client.close());
  if (code === 130) {
    const cancelled = [...own.filter((job) => job?.status === 'CANCELLED'), ...report.cancelled].length;
    const abandoned = [...own.filter((job) => !job), ...report.abandoned].length;
    screen.line(`Settled: ${cancelled} cancelled, ${report.finished.length} finished, ${abandoned} abandoned.`);
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
  // A wrong base URL is as much the caller's as a wrong option.
  const usage = error instanceof UsageError || isRunpodError(error, 'configuration');
  console.error(usage ? `${error.message}\nnpm run demo -- --help says how to use it.` : error);
  process.exitCode = usage ? 2 : 1;
}

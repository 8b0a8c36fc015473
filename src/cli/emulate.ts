import { EMPTY, firstValueFrom, fromEvent, lastValueFrom, merge, noop, share, takeUntil, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import { createEmulator, type ListeningEmulator } from '../emulator/server/index.js';
import { banner } from './banner.js';
import { captureConsole } from './captureConsole.js';
import type { EmulateOptions } from './EmulateOptions.js';
import { Handlers } from './Handlers.js';
import type { Endpoints } from './Endpoints.js';
import { loadHandlers, reloadHandlers, type Loaded } from './handlersFile.js';
import { paintFor, type Paint } from './paint.js';
import { plainScreen, terminalScreen, type Screen } from './Screen.js';
import { scaledScheduler } from './scaledScheduler.js';
import { stackOf } from './stackOf.js';
import { view } from './view.js';

/** `runpod-rx emulate`: runs a local RunPod until a signal comes. Sets the exit code; never rejects. */
export async function emulate(
  file: string | undefined,
  options: EmulateOptions,
  process: NodeJS.Process,
): Promise<void> {
  const fail = (message: string): void => {
    process.stderr.write(`error: ${message}\n`);
    process.exitCode = 1;
  };
  const loaded =
    file === undefined ? { endpoints: echo(options) } : await firstValueFrom(loadHandlers(file, options.endpoint));
  if ('error' in loaded) {
    fail(`${String(file)}: ${loaded.error}`);
    return;
  }

  const paint = paintFor(process);
  const screen = process.stdout.isTTY ? terminalScreen(process.stdout) : plainScreen(process.stdout);
  const handlers = new Handlers(loaded.endpoints);
  const emulator = await listen(handlers, options, screen, paint).catch((error: unknown) => {
    fail(whyNot(error, options.port));
  });
  if (!emulator) return;

  const endpoints = Object.keys(loaded.endpoints);
  const source =
    file ?? (options.workers === 0 ? 'no handler: only workers of other processes' : 'output: { echo: input }');
  process.stdout.write(
    banner({ baseUrl: emulator.baseUrl, endpoints, source, keys: options.key !== undefined }, paint),
  );

  const release = captureConsole((text) => screen.line(text));
  // The reader of a pipe may be gone before the last lines are written; ignore that error.
  process.stdout.on('error', noop);
  // Errors that handlers throw in timers or while they are stopped, and rejections that no handler awaits.
  process.on('uncaughtException', (error: unknown) => {
    screen.line(`${paint('dim', clock())}  ${paint('red', 'nobody caught')}  ${stackOf(error)}`);
  });
  const end$ = endOf(process).pipe(share());
  const { lines$, status$ } = view(emulator, paint, end$);
  const reload$ = file === undefined ? EMPTY : reloadHandlers(file, options.endpoint);
  const shown$ = merge(
    lines$.pipe(tap((line) => screen.line(`${paint('dim', clock())}  ${line}`))),
    status$.pipe(tap((lines) => screen.status(lines))),
    reload$.pipe(
      tap((loaded) => screen.line(reloaded(String(file), loaded, handlers, paint))),
      takeUntil(end$),
    ),
  );
  await lastValueFrom(shown$, { defaultValue: undefined });
  release();
  screen.close();
  await emulator.close();
  if (process.stdout.writable) process.stdout.write('\nStopped.\n');
  // Timers of handlers may still run; do not wait for them.
  process.exit(0);
}

function listen(handlers: Handlers, options: EmulateOptions, screen: Screen, paint: Paint): Promise<ListeningEmulator> {
  return createEmulator({
    endpoints: handlers.endpoints(options),
    port: options.port,
    limits: options.limits,
    seed: options.seed,
    cors: options.cors ?? false,
    ...(options.key && { keys: options.key }),
    ...(options.faults && { faults: options.faults }),
    ...(options.speed !== 1 && { scheduler: scaledScheduler(options.speed) }),
    log: ({ endpointId, jobId, parts }) =>
      screen.line(`${paint('dim', clock())}  ${endpointId}  ${paint('dim', jobId)}  ${parts.map(String).join(' ')}`),
  }).listen();
}

/** Replaces the handlers after a reload, if the file could be loaded. Returns the lines to show. */
function reloaded(file: string, loaded: Loaded, handlers: Handlers, paint: Paint): string {
  if ('error' in loaded) return `${paint('red', 'not loaded')}  ${file}: ${loaded.error}\nThe handlers before stay.`;
  const restartNote = handlers.replace(loaded.endpoints);
  return `${paint('green', 'loaded')}  ${file}${restartNote === undefined ? '' : `\n${paint('yellow', restartNote)}`}`;
}

/** The endpoint without a handlers file: its output is `{ echo: input }`. With 0 workers it has no handler. */
function echo({ endpoint, workers }: EmulateOptions): Endpoints {
  return { [endpoint]: workers === 0 ? {} : { handler: ({ input }) => ({ echo: input }) } };
}

function whyNot(error: unknown, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException; // `listen` rejects with an error of Node's server
  if (code === 'EADDRINUSE') return `port ${port} is in use; --port names another, and --port 0 takes any free one`;
  if (code === 'EACCES') return `port ${port} may not be used by this user; --port names another`;
  return message;
}

/** Emits when the command shall end: at a signal, or when the reader of its output is gone. */
function endOf(process: NodeJS.Process): Observable<unknown> {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => fromEvent(process, signal));
  return merge(...signals, fromEvent(process.stdout, 'error'));
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}

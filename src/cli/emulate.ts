import { EMPTY, firstValueFrom, fromEvent, lastValueFrom, merge, noop, share, takeUntil, tap } from 'rxjs';
import type { Observable } from 'rxjs';
import { inspect } from 'node:util';
import type { LogEntry } from '../emulator/index.js';
import { isLoopback } from '../protocol/loopback.js';
import { createEmulator, type ListeningEmulator } from '../emulator/server/index.js';
import { bracketed, hostName } from '../emulator/server/hostName.js';
import { banner } from './banner.js';
import { captureOutput, type CapturedOutput } from './captureOutput.js';
import type { EmulateOptions } from './EmulateOptions.js';
import { exampleInput } from './exampleInput.js';
import { Handlers } from './Handlers.js';
import type { Endpoints } from './Endpoints.js';
import { EXIT } from './jobs/exitCodes.js';
import { loadHandlers, reloadHandlers, type Loaded } from './handlersFile.js';
import { plainScreen, terminalScreen, type Screen } from './Screen.js';
import { sampleEndpoints } from './sampleEndpoints.js';
import { scaledScheduler } from './scaledScheduler.js';
import { stackOf } from './stackOf.js';
import { joined, line, paint, render, showsStyles, type Text } from './Text.js';
import { view } from './view.js';

/** `runpod-rx emulate`: runs a local RunPod until a signal comes. Sets the exit code; never rejects. */
export async function emulate(
  file: string | undefined,
  options: EmulateOptions,
  process: NodeJS.Process,
): Promise<void> {
  const styled = showsStyles(process);
  const output = captureOutput(process, (text) => screen.line(text));
  const screen = process.stdout.isTTY
    ? terminalScreen(output.stdout, process.stdout, styled)
    : plainScreen(output.stdout);
  const fail = (message: string): void => {
    output.release();
    output.stderr(`${render(`error: ${message}`, false)}\n`);
    process.exitCode = 1;
  };
  if (file !== undefined && options.sample) {
    fail('--sample has endpoints of its own: leave the file or --sample out');
    process.exitCode = EXIT.usage;
    return;
  }
  const loaded =
    file === undefined
      ? { endpoints: options.sample ? sampleEndpoints : echo(options), text: undefined }
      : await firstValueFrom(loadHandlers(file, options.endpoint));
  if ('error' in loaded) {
    fail(`${String(file)}: ${loaded.error}`);
    return;
  }
  const handlers = new Handlers(loaded.endpoints);
  const emulator = await listen(handlers, options, screen).catch((error: unknown) => {
    fail(whyNot(error, options));
  });
  if (!emulator) return;

  output.stdout(render(banner(factsOf(emulator, loaded.endpoints, file, options)), styled));
  await show(emulator, { file, text: loaded.text, options, handlers, screen }, process);
  await stop(emulator, screen, output, process);
}

interface Show {
  readonly file: string | undefined;
  /** The text of the file when it was loaded. */
  readonly text: string | undefined;
  readonly options: EmulateOptions;
  readonly handlers: Handlers;
  readonly screen: Screen;
}

/** Shows what happens until the command shall end. */
async function show(
  emulator: ListeningEmulator,
  { file, text, options, handlers, screen }: Show,
  process: NodeJS.Process,
): Promise<void> {
  // The reader of a pipe may be gone before the last lines are written; ignore that error.
  process.stdout.on('error', noop);
  // Errors that handlers throw in timers or while they are stopped, and rejections that no handler awaits.
  process.on('uncaughtException', (error: unknown) => {
    screen.line(line`${paint('dim', clock())}  ${paint('red', 'nobody caught')}  ${stackOf(error)}`);
  });
  const end$ = endOf(process).pipe(share());
  const { lines$, status$ } = view(emulator, end$);
  const reload$ = file === undefined ? EMPTY : reloadHandlers(file, options.endpoint, text);
  const shown$ = merge(
    lines$.pipe(tap((shown) => screen.line(line`${paint('dim', clock())}  ${shown}`))),
    status$.pipe(tap((lines) => screen.status(lines))),
    reload$.pipe(
      tap((loaded) => screen.line(reloaded(String(file), loaded, handlers))),
      takeUntil(end$),
    ),
  );
  await lastValueFrom(shown$, { defaultValue: undefined });
}

async function stop(
  emulator: ListeningEmulator,
  screen: Screen,
  output: CapturedOutput,
  process: NodeJS.Process,
): Promise<void> {
  output.release();
  screen.close();
  await emulator.close();
  if (process.stdout.writable) output.stdout('\nStopped.\n');
  // Timers of handlers may still run; do not wait for them.
  process.exit(0);
}

/** Resolves with the running emulator; rejects if an option is wrong, or the address cannot be bound. */
async function listen(handlers: Handlers, options: EmulateOptions, screen: Screen): Promise<ListeningEmulator> {
  const { key, faults, seed, speed, allowHost } = options;
  return createEmulator({
    endpoints: handlers.endpoints(options),
    port: options.port,
    host: options.host,
    limits: options.limits,
    cors: options.cors ?? false,
    ...(allowHost && { hosts: allowHost }),
    ...(seed !== undefined && { seed }),
    ...(key && { keys: key }),
    ...(faults && { faults }),
    ...(speed !== 1 && { scheduler: scaledScheduler(speed) }),
    log: (entry) => screen.line(logLine(entry)),
  }).listen();
}

function logLine({ endpointId, jobId, parts }: LogEntry): Text {
  const words = parts.map((part) => (typeof part === 'string' ? part : inspect(part))).join(' ');
  const about = jobId === '' ? [endpointId] : [endpointId, paint('dim', jobId)];
  return joined([paint('dim', clock()), ...about, words], '  ');
}

function factsOf(
  { baseUrl, seed }: ListeningEmulator,
  endpoints: Endpoints,
  file: string | undefined,
  options: EmulateOptions,
) {
  const { key, host } = options;
  const isLocal = isLoopback(hostName(bracketed(host)) ?? '');
  return {
    baseUrl,
    endpoints: Object.keys(endpoints),
    input: exampleInput(Object.values<{ readonly handler?: unknown }>(endpoints)[0]?.handler),
    source: file ?? sourceOf(options),
    keys: key !== undefined,
    seed: String(seed),
    ...(!isLocal && { reachableAt: host }),
  };
}

/** Where the endpoints' work comes from without a handlers file, in a few words. */
function sourceOf({ workers, sample }: EmulateOptions): string {
  if (workers === 0) return 'no handler: only workers of other processes';
  return sample ? 'the sample endpoints of the documentation' : 'output: { echo: input }';
}

/** Replaces the handlers after a reload, if the file could be loaded. Returns the lines to show. */
function reloaded(file: string, loaded: Loaded, handlers: Handlers): Text {
  if ('error' in loaded)
    return line`${paint('red', 'not loaded')}  ${file}: ${loaded.error}\nThe handlers before stay.`;
  const restartNote = handlers.replace(loaded.endpoints);
  const advice = restartNote === undefined ? '' : line`\n${paint('yellow', restartNote)}`;
  return line`${paint('green', 'loaded')}  ${file}${advice}`;
}

/** The endpoint without a handlers file: its output is `{ echo: input }`. With 0 workers it has no handler. */
function echo({ endpoint, workers }: EmulateOptions): Endpoints {
  return { [endpoint]: workers === 0 ? {} : { handler: ({ input }) => ({ echo: input }) } };
}

function whyNot(error: unknown, { port, host }: EmulateOptions): string {
  const { code, message } = error as NodeJS.ErrnoException; // `listen` rejects with an error of Node's server
  if (code === 'EADDRINUSE') return `port ${port} is in use; --port names another, and --port 0 takes any free one`;
  if (code === 'EACCES') return `port ${port} may not be used by this user; --port names another`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${host} is no address of this machine; --host names another`;
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

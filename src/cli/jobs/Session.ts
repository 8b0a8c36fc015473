import { Observable, noop } from 'rxjs';
import type { Activity, Runpod } from '../../index.js';
import { plainScreen, terminalScreen, type Screen } from '../Screen.js';
import { line, paint, render, showsStyles, type Text } from '../Text.js';
import { withoutControls } from '../printable.js';
import { ask } from './ask.js';
import type { Failure } from './failureOf.js';
import { openClient, type ConnectionOptions } from './openClient.js';

/** Options of every command for jobs. */
export interface SessionOptions extends ConnectionOptions {
  /** Whether the output is for programs. */
  readonly json?: boolean;
}

/**
 * What a command works with: a client; the output, for results; and a screen on the error output, for what happens meanwhile.
 */
export class Session {
  readonly client: Runpod;
  /** Whether the output is for programs. The screen is silent then, but for errors. */
  readonly json: boolean;
  /** Whether status lines are redrawn. */
  readonly isLive: boolean;
  /** Why the service does not answer at the moment; empty where it does. */
  trouble = '';
  /** Whether a job was submitted, and its id is known. */
  hasSubmitted = false;
  /** The calls that have submitted a job, and whose answers have not come. */
  readonly #unanswered = new Set<number>();
  readonly #process: NodeJS.Process;
  readonly #screen: Screen;
  /** Why the output could not be written. */
  #outputError: Error | undefined;

  constructor(process: NodeJS.Process, options: SessionOptions) {
    const { stderr } = process;
    this.client = openClient(process, options);
    this.json = !!options.json;
    this.isLive = stderr.isTTY && !this.json;
    this.#process = process;
    const write = (text: string) => stderr.write(text);
    const styled = showsStyles(process, stderr);
    process.stdout.once('error', (error: Error) => {
      this.#outputError = error;
    });
    this.#screen = this.isLive ? terminalScreen(write, stderr, styled) : plainScreen(write);
    this.client.activity$.subscribe({
      next: (activity) => {
        this.#noteTrouble(activity);
        this.#noteSubmission(activity);
      },
      error: noop,
    });
  }

  /** How many submissions were sent, and not answered yet. */
  get unanswered(): number {
    return this.#unanswered.size;
  }

  /** Whether the service may have a job of this command. */
  get mayHaveJob(): boolean {
    return this.hasSubmitted || this.unanswered > 0;
  }

  get stdin(): NodeJS.ReadStream {
    return this.#process.stdin;
  }

  /** Whether there is somebody to ask. */
  get canAsk(): boolean {
    const { stdin, stderr } = this.#process;
    return stdin.isTTY && stderr.isTTY;
  }

  ask(question: string): Observable<boolean> {
    return ask(this.#process, question);
  }

  /** Writes a result as it is; on a terminal, without what could steer that. */
  write(text: string): void {
    const { stdout } = this.#process;
    stdout.write(stdout.isTTY ? withoutControls(text) : text);
  }

  /** Writes a value: as JSON on one line for programs; for people a text as it is, and anything else as indented JSON. */
  print(value: unknown): void {
    const isText = typeof value === 'string' && !this.json;
    this.write(`${isText ? value : JSON.stringify(value ?? null, null, this.json ? 0 : 2)}\n`);
  }

  /** Writes a line for people. */
  printLine(text: Text): void {
    this.#process.stdout.write(`${render(text, showsStyles(this.#process))}\n`);
  }

  /** Says something to people, beside the output. */
  say(text: Text): void {
    if (!this.json) this.#screen.line(text);
  }

  /** Replaces the status lines. */
  status(lines: readonly Text[]): void {
    if (this.isLive) this.#screen.status(lines);
  }

  /** Says what must not go unheard, since a job may run: to programs as an error. */
  warn(failure: Omit<Failure, 'exitCode'>): void {
    if (this.json) this.fail(failure);
    else this.say(failure.message);
  }

  fail(failure: Omit<Failure, 'exitCode'>): void {
    const { stderr } = this.#process;
    if (this.json) stderr.write(stderr.isTTY ? withoutControls(errorLine(failure)) : errorLine(failure));
    else this.#screen.line(line`${paint('red', 'error:')} ${failure.message}`);
  }

  /** Completes once all that was written is with the system. Errors where some of the output could not be written. */
  flushed(): Observable<never> {
    const { stdout, stderr } = this.#process;
    return new Observable((subscriber) => {
      stderr.write('', () => {
        stdout.write('', (error) => {
          const failure = this.#outputError ?? error;
          if (failure) subscriber.error(failure);
          else subscriber.complete();
        });
      });
    });
  }

  /** Who waits without a word does not know what for. */
  #noteTrouble(activity: Activity): void {
    const before = this.trouble;
    if (activity.type === 'reply') this.trouble = '';
    if (activity.type === 'failure') this.trouble = `waiting for the service: ${activity.message}`;
    if (this.trouble && !before && !this.isLive) this.say(this.trouble);
  }

  #noteSubmission({ type, operation, call }: Activity): void {
    if (operation !== 'run' && operation !== 'retry') return;
    if (type === 'request') this.#unanswered.add(call);
    if (type === 'submitted') this.hasSubmitted = true;
    if (type === 'reply' || type === 'failure' || type === 'abort') this.#unanswered.delete(call);
  }

  close(): void {
    if (this.isLive) this.#screen.status([]);
    this.#screen.close();
  }

  /** Says why there is no session. */
  static refuse({ stderr }: NodeJS.Process, failure: Failure, { json }: SessionOptions): void {
    stderr.write(json ? errorLine(failure) : `${render(`error: ${failure.message}`, false)}\n`);
  }
}

function errorLine({ code, message, jobId }: Omit<Failure, 'exitCode'>): string {
  return `${JSON.stringify({ error: { code, message, jobId } })}\n`;
}

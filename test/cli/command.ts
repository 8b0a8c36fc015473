import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { onTestFinished } from 'vitest';
import { dashboardModule } from '../../scripts/lib/dashboard.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
// Inside the package, so that its dependencies resolve from there.
const outfile = join(root, `.cache/cli-${process.pid}.mjs`);
const dashboard = join(root, `.cache/dashboard-${process.pid}.cjs`);
let built = false;

/** Bundles the command into one file, once; returns its path. */
export function build(): string {
  if (!built) {
    mkdirSync(join(root, '.cache'), { recursive: true });
    writeFileSync(dashboard, dashboardModule());
    buildSync({
      entryPoints: [join(root, 'src/cli/main.ts')],
      outfile,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      // The package's own imports lead to what is built.
      alias: {
        '#adapter': join(root, 'src/http/transports/adapter.node.ts'),
        '#undici': 'undici',
        '#dashboard': dashboard,
      },
      tsconfigRaw: '{}',
    });
    process.once('exit', () => {
      rmSync(outfile, { force: true });
      rmSync(dashboard, { force: true });
    });
    built = true;
  }
  return outfile;
}

/** Makes a folder that is removed after the test. */
export function folder(): string {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const path = mkdtempSync(join(root, '.cache/cli-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment; `undefined` takes a variable out of it. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What comes on the standard input. */
  readonly input?: string;
  /** Whether the standard input does not end. */
  readonly inputStaysOpen?: boolean;
  /** A file that the output goes to, in place of a pipe. */
  readonly outputFile?: string;
}

/** The command in a child process with piped output. It is killed after the test. */
export class Command {
  output = '';
  errors = '';
  readonly ended: Promise<number | null>;
  private readonly child: ChildProcess;

  constructor(args: readonly string[], given: CommandOptions = {}) {
    const { cwd = root, env = {}, input, inputStaysOpen = false, outputFile } = given;
    const output = outputFile === undefined ? 'pipe' : openSync(outputFile, 'a');
    this.child = spawn(process.execPath, [build(), ...args], {
      cwd,
      env: { ...process.env, ...env },
      stdio: [input === undefined && !inputStaysOpen ? 'ignore' : 'pipe', output, 'pipe'],
    });
    if (typeof output === 'number') closeSync(output);
    if (!inputStaysOpen) this.child.stdin?.end(input);
    else if (input !== undefined) this.child.stdin?.write(input);
    this.child.stdout?.on('data', (data: Buffer) => (this.output += data.toString()));
    this.child.stderr!.on('data', (data: Buffer) => (this.errors += data.toString()));
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Resolves with the base URL once the server listens; rejects if the command ends instead. */
  baseUrl(): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        // Wait for the end of the banner, which may arrive in several pieces.
        const url = /base URL +(\S+)[^]*PING_INTERVAL/.exec(this.output)?.[1];
        if (url !== undefined) resolve(url);
      };
      this.child.stdout!.on('data', look);
      this.child.once('close', () => reject(new Error(`ended: ${this.output}${this.errors}`)));
      look();
    });
  }

  /** Sends a signal; whether the process was still there. */
  kill(name: NodeJS.Signals): boolean {
    return !this.hasEnded && this.child.kill(name);
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Whether the process listens to a signal, which would end it otherwise. Linux tells. */
  listensTo(name: NodeJS.Signals): boolean {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    const caught = BigInt(`0x${/SigCgt:\s*(\w+)/.exec(status)?.[1] ?? '0'}`);
    return ((caught >> BigInt(constants.signals[name] - 1)) & 1n) === 1n;
  }

  closeErrors(): void {
    this.child.stderr?.destroy();
  }

  /** Reads the output no more, as `head` does. */
  closeOutput(): void {
    this.child.stdout?.destroy();
  }

  /** Sends a signal; resolves with the exit code. */
  signal(name: NodeJS.Signals): Promise<number | null> {
    this.child.kill(name);
    return this.ended;
  }
}

/** Submits a job with `/runsync`, and returns the answer's body. */
export async function submit(baseUrl: string, endpoint: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${baseUrl}/${endpoint}/runsync`, { method: 'POST', body: JSON.stringify(body) });
  return (await answer.json()) as Record<string, unknown>;
}

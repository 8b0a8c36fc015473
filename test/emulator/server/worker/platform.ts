import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { startEmulator, type EmulatorOptions, type ListeningEmulator } from 'runpod-rx/emulator';

const script = fileURLToPath(new URL('./worker.py', import.meta.url));

/** The path of the real interpreter, looked up once: `python3` may be a slow script that chooses a Python version. */
const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** A worker process, and the lines that it printed. */
export interface WorkerProcess {
  readonly lines: readonly string[];
  /** Resolves once so many printed lines match, with the last of them. */
  said(pattern: RegExp, count?: number): Promise<string>;
  /** Kills the process; the platform gets no notice. */
  kill(): Promise<void>;
}

/** An emulator, its worker processes, and the requests of a client. */
export interface LocalPlatform {
  readonly emulator: ListeningEmulator;
  worker(id: string, env?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Record<string, unknown>>;
  run(input: object, more?: object): Promise<string>;
  /** Polls until the job has ended, and returns it. */
  over(id: string): Promise<Record<string, unknown>>;
}

/** How long no worker is silent, however slow the machine is, in milliseconds. Tests in which one is lost say so. */
const NEVER_LOST = 86_400_000;

export async function platform(options: Partial<EmulatorOptions> = {}): Promise<LocalPlatform> {
  const emulator = await startEmulator({ endpoints: { demo: { lostAfter: NEVER_LOST } }, limits: false, ...options });
  onTestFinished(() => emulator.close());
  const call: LocalPlatform['call'] = async (method, path, body) => {
    const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) };
    return (await fetch(`${emulator.baseUrl}/demo/${path}`, init)).json() as Promise<Record<string, unknown>>;
  };
  return {
    emulator,
    call,
    run: async (input, more = {}) => String((await call('POST', 'run', { input, ...more })).id),
    over: (id) => call('GET', `status-sync/${id}`),
    worker: async (id, env = {}) => {
      const base = `${emulator.baseUrl}/demo`;
      const child = spawn(python, [script], {
        env: {
          PATH: process.env.PATH,
          PYTHONUTF8: '1',
          RUNPOD_WEBHOOK_GET_JOB: `${base}/job-take/$ID?gpu=local`,
          RUNPOD_WEBHOOK_POST_OUTPUT: `${base}/job-done/$RUNPOD_POD_ID/$ID?gpu=local`,
          RUNPOD_WEBHOOK_POST_STREAM: `${base}/job-stream/$RUNPOD_POD_ID/$ID?gpu=local`,
          RUNPOD_WEBHOOK_PING: `${base}/ping/$RUNPOD_POD_ID?gpu=local`,
          RUNPOD_POD_ID: id,
          RUNPOD_ENDPOINT_ID: 'demo',
          RUNPOD_AI_API_KEY: 'any',
          RUNPOD_PING_INTERVAL: '50',
          ...env,
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const worker = follow(child);
      onTestFinished(() => worker.kill());
      await worker.said(/^ready$/);
      return worker;
    },
  };
}

function follow(child: ChildProcess): WorkerProcess {
  const lines: string[] = [];
  const watchers = new Set<() => void>();
  let rest = '';
  let ended = false;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    for (const watcher of [...watchers]) watcher();
  });
  const exit = new Promise<void>((resolve) => {
    child.once('exit', () => {
      ended = true;
      for (const watcher of [...watchers]) watcher();
      resolve();
    });
  });
  return {
    lines,
    said: (pattern, count = 1) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const line = lines.filter((said) => pattern.test(said))[count - 1];
          if (line === undefined && !ended) return;
          watchers.delete(look);
          if (line === undefined) reject(new Error(`the worker ended without saying ${String(pattern)}`));
          else resolve(line);
        };
        watchers.add(look);
        look();
      }),
    kill: () => {
      child.kill('SIGKILL');
      return exit;
    },
  };
}

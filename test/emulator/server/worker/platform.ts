import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { startEmulator, type EmulatorOptions, type ListeningEmulator } from 'runpod-rx/emulator';

const script = fileURLToPath(new URL('./worker.py', import.meta.url));

/** Found once, since `python3` may be a script that looks for the right Python, and slow. */
const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** A worker process, and the lines that it wrote. */
export interface WorkerProcess {
  readonly lines: readonly string[];
  /** Resolves as soon as the worker has written a line that matches. */
  said(pattern: RegExp): Promise<string>;
  /** Kills the process, so that the platform is not told. */
  kill(): Promise<void>;
}

/** An emulator, worker processes behind it, and the calls of a client. */
export interface LocalPlatform {
  readonly emulator: ListeningEmulator;
  worker(id: string, env?: Readonly<Record<string, string>>): Promise<WorkerProcess>;
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<Record<string, unknown>>;
  run(input: object, more?: object): Promise<string>;
  /** The job when it is over. */
  over(id: string): Promise<Record<string, unknown>>;
  /** The job's status as soon as it fits. */
  when(id: string, fits: (job: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
}

export async function platform(options: Partial<EmulatorOptions> = {}): Promise<LocalPlatform> {
  const emulator = await startEmulator({ endpoints: { demo: {} }, limits: false, ...options });
  onTestFinished(() => emulator.close());
  const call: LocalPlatform['call'] = async (method, path, body) => {
    const init = { method, ...(body !== undefined && { body: JSON.stringify(body) }) };
    return (await fetch(`${emulator.baseUrl}/demo/${path}`, init)).json() as Promise<Record<string, unknown>>;
  };
  const when: LocalPlatform['when'] = async (id, fits) => {
    for (;;) {
      const job = await call('GET', `status/${id}`);
      if (fits(job)) return job;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return {
    emulator,
    call,
    when,
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
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const line = lines.find((said) => pattern.test(said));
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

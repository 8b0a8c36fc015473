/**
 * A producer, three workers and a receiver of webhooks, each in a process of its own. `npm run example -- queue` starts it with
 * BullMQ on Redis, `npm run example -- queue pg-boss` with pg-boss on Postgres. Kill any of them while it runs: it is started
 * again, and every job is done, and paid once.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const COLORS = [36, 33, 35, 32, 34];

/** Starts all; resolves with the producer's exit code, when the others have ended as well. */
export async function startQueue(engine) {
  const port = process.env.PORT && process.env.PORT !== '0' ? process.env.PORT : await freePort();
  const QUEUE = `pictures-${process.pid}`;
  const env = { ...process.env, ENGINE: engine, PORT: port, PUBLIC_URL: `http://127.0.0.1:${port}`, QUEUE };
  const children = new Map();
  let isOver = false;

  const start = (name, script) => {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    children.set(name, child);
    say(name, child.pid, 'starts');
    for (const output of [child.stdout, child.stderr])
      createInterface({ input: output }).on('line', (line) => say(name, child.pid, line));
    return new Promise((resolve) => {
      child.once('exit', (code) => {
        if (name === 'producer' && code === 0) resolve(code);
        else if (!isOver) {
          say(name, child.pid, 'was killed');
          resolve(start(name, script));
        } else resolve(code);
      });
    });
  };
  const stop = async (others) => {
    isOver = true;
    for (const child of children.values()) child.kill('SIGTERM');
    await Promise.all(others);
  };

  console.log('Kill any of them, as with kill -9 and the number beside its name.\n');
  const others = [
    start('receiver', 'receiver.mjs'),
    ...[1, 2, 3].map((number) => start(`worker ${number}`, `${engine}/worker.mjs`)),
  ];
  const produced = start('producer', `${engine}/producer.mjs`);
  process.once('SIGINT', () => void stop(others).then(() => process.exit(130)));
  const code = await produced;
  await stop(others);
  return code;
}

const names = [];

function say(name, pid, line) {
  if (!names.includes(name)) names.push(name);
  const label = `${name.padEnd(9)} ${String(pid).padEnd(7)}`;
  const color = COLORS[names.indexOf(name) % COLORS.length];
  console.log(`${process.stdout.isTTY ? `\u001B[${color}m${label}\u001B[0m` : label} ${line}`);
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return String(port);
}

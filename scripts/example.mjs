/**
 * `npm run example -- NAME` starts one of the examples: angular, browser, express, nest, next, otel or queue. Without a key or a
 * base URL in the environment, it starts an emulator for it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bootstrap, npm } from './bootstrap.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [name, variant] = process.argv.slice(2);
const names = ['angular', 'browser', 'express', 'nest', 'next', 'otel', 'queue'];
if (!names.includes(name)) {
  console.error(`npm run example -- NAME, where NAME is ${names.join(', ')}`);
  process.exit(2);
}

/** Where jobs run without a key. */
let emulator;

bootstrap();
const { ensureBuilt } = await import('./lib/build.mjs');
ensureBuilt();

// The example for Angular has endpoints of its own.
if (name !== 'angular' && !process.env.RUNPOD_API_KEY && !process.env.RUNPOD_BASE_URL) await startEmulator();
process.env.WEBHOOK_SECRET ??= randomBytes(32).toString('hex');

if (name === 'next') startNext();
else if (name === 'nest') await import(pathToFileURL(await compiled(join(root, 'examples/nest/main.ts'))).href);
else if (name === 'angular') await startAngular();
else if (name === 'queue') await startQueue(variant ?? 'bullmq');
else await import(pathToFileURL(join(root, 'examples', name, 'server.mjs')).href);

/** A local RunPod with the endpoint that the examples use. */
async function startEmulator() {
  const { startEmulator: start } = await import('runpod-rx/emulator');
  const { concat, concatMap, defer, from, ignoreElements, of } = await import('rxjs');
  const size = name === 'queue' ? 8 : 2;
  emulator = await start({
    endpoints: {
      'my-endpoint': {
        workers: { min: size, max: size },
        handler: ({ input }, { delay, progress }) => {
          const steps = from([0.2, 0.4, 0.6, 0.8]).pipe(
            concatMap((done) => defer(() => (progress({ done }), delay(700)))),
            ignoreElements(),
          );
          return concat(steps, of({ text: String(input.prompt ?? '').toUpperCase() }));
        },
      },
    },
  });
  process.env.RUNPOD_BASE_URL = emulator.baseUrl;
  process.env.ENDPOINT_ID = 'my-endpoint';
  console.log(`There is no RUNPOD_API_KEY, so jobs run on an emulator: ${emulator.baseUrl}`);
}

/** BullMQ or pg-boss: their server is the one at the usual address, or one of this machine's own. */
async function startQueue(engine) {
  const { postgresEngine, redisEngine } = await import('./lib/engines.mjs');
  const find = { bullmq: redisEngine, 'pg-boss': postgresEngine }[engine];
  const server = await find?.();
  if (!server) {
    console.error(
      find ? `${engine} needs its server: see docs/many-machines.md` : 'npm run example -- queue bullmq|pg-boss',
    );
    process.exit(2);
  }
  process.env[engine === 'bullmq' ? 'REDIS_URL' : 'DATABASE_URL'] = server.url;
  const { startQueue: start } = await import(pathToFileURL(join(root, 'examples/queue/start.mjs')).href);
  const code = await start(engine);
  if (emulator) console.log(`\nThe emulator was given ${emulator.jobs().length} jobs.`);
  await server.stop();
  process.exit(code ?? 0);
}

/** TypeScript with decorators, as Nest has it, as one JavaScript file inside the package. */
async function compiled(entry) {
  const { build } = await import('esbuild');
  const outfile = join(root, '.cache/example-nest/main.mjs');
  const tsconfigRaw = { compilerOptions: { experimentalDecorators: true, target: 'es2022' } };
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    tsconfigRaw,
    outfile,
  });
  return outfile;
}

/** Next wants a folder with packages of its own: the example, the packed library, and what it needs. */
function startNext() {
  const folder = join(root, '.cache/example-next');
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, 'app'), { recursive: true, force: true });
  cpSync(join(root, 'examples/next'), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  const packed = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  if (!existsSync(join(folder, 'node_modules/next'))) console.log('Installing Next …');
  run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--loglevel=error', `./${packed}`, 'rxjs', 'next@15', 'react', 'react-dom'],
    folder,
  );
  const next = spawn(process.execPath, ['node_modules/next/dist/bin/next', 'dev'], { cwd: folder, stdio: 'inherit' });
  next.once('exit', (code) => process.exit(code ?? 0));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => next.kill(signal));
}

/** Angular's compiler wants a newer Node than this library, and packages of its own. */
async function startAngular() {
  const { Application } = await import('./e2e/Application.mjs');
  const application = new Application('22', {
    source: 'examples/angular',
    folder: join(root, '.cache/example-angular'),
  });
  console.log('Installing Angular, and building …');
  application.install();
  await application.build('atelier');
  const { startExample } = await import(pathToFileURL(join(application.folder, 'server.mjs')).href);
  startExample(join(application.folder, 'builds/atelier/browser'));
}

function run(_, args, cwd) {
  const [command, all] = npm(...args);
  const { status } = spawnSync(command, all, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) process.exit(status ?? 1);
}

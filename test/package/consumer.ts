import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = fileURLToPath(new URL('../..', import.meta.url));
const execute = promisify(execFile);

/**
 * The versions of TypeScript that the published types are promised for: the oldest that knows
 * `moduleResolution: bundler`, and the newest there is. Both check the package's own declarations and those it leans
 * on as well (`skipLibCheck: false`).
 */
export const typescript = { oldest: '5.0', newest: '7.0' } as const;

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** An application in a folder of its own, which has installed the packed package from its tarball. */
export interface Consumer {
  readonly folder: string;
  /** Paths in the tarball. */
  readonly files: readonly string[];
  /** The size of the tarball. */
  readonly bytes: number;
  /** Runs a script of `test/package/consumer` with the Node of this test; its output is JSON. */
  node(script: string): Promise<unknown>;
  tsc(version: keyof typeof typescript, project: string): Promise<Ran>;
}

async function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  // `npm test` leaves the place of this repository in the environment.
  const env = { ...process.env };
  delete env.npm_config_local_prefix;
  const { stdout } = await execute('npm', args, { cwd, env, shell: process.platform === 'win32' });
  return stdout;
}

async function run(cwd: string, ...args: readonly string[]): Promise<Ran> {
  return execute(process.execPath, args, { cwd }).then(
    ({ stdout }) => ({ code: 0, output: stdout }),
    (error: unknown) => {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, output: `${stdout}${stderr}` };
    },
  );
}

/** Packs what is in `dist/`, and installs it elsewhere as users do. */
export async function install(): Promise<Consumer> {
  const folder = mkdtempSync(join(tmpdir(), 'runpod-rx-consumer-'));
  // dist/ is built already; without its scripts `npm pack` takes it as it is.
  const packed = await npm(root, 'pack', '--ignore-scripts', '--json', '--pack-destination', folder);
  const [{ filename, files, size }] = JSON.parse(packed) as [
    { filename: string; files: { path: string }[]; size: number },
  ];
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    devDependencies: Record<string, string>;
  };

  cpSync(join(root, 'test/package/consumer'), folder, { recursive: true });
  // ES modules and CommonJS have declarations of their own.
  for (const extension of ['mts', 'cts'])
    copyFileSync(join(folder, 'application.ts'), join(folder, `application.${extension}`));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({
      name: 'consumer',
      private: true,
      dependencies: {
        'runpod-rx': `file:./${filename}`,
        rxjs: devDependencies.rxjs,
        '@types/node': devDependencies['@types/node'],
        'typescript-oldest': `npm:typescript@${typescript.oldest}`,
        'typescript-newest': `npm:typescript@${typescript.newest}`,
      },
    }),
  );
  await npm(folder, 'install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock');

  return {
    folder,
    files: files.map(({ path }) => path),
    bytes: size,
    node: async (script) => {
      const { code, output } = await run(folder, script);
      if (code !== 0) throw new Error(`${script} ended with ${code}:\n${output}`);
      return JSON.parse(output) as unknown;
    },
    tsc: (version, project) => run(folder, `node_modules/typescript-${version}/bin/tsc`, '--project', project),
  };
}

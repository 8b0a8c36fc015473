import { execFile, type ExecFileException } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type BuildOptions, type Plugin } from 'esbuild';
import ts from 'typescript';
import { startEmulator } from 'runpod-rx/emulator';
import { sampleEndpoints as endpoints } from '../../src/cli/sampleEndpoints.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A block of TypeScript in a Markdown file. */
export interface Snippet {
  /** Relative to the repository. */
  readonly file: string;
  /** The line of its first line of code, from 1. */
  readonly line: number;
  /** The code, after as many empty lines as there are in the file before it: so all line numbers are the file's. */
  readonly code: string;
  readonly run: boolean;
}

/** Markdown files that users read; decisions and generated pages are not among them. */
export function documents(): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .map((path) => `docs/${path.split(sep).join('/')}`)
    .filter((path) => path.endsWith('.md') && !/^docs\/(api|decisions)\//.test(path));
  const readme = readdirSync(root).filter((path) => path === 'README.md');
  return [...readme, ...docs.sort()];
}

/**
 * The blocks that begin with ```` ```ts ````. One that begins with ```` ```ts no-run ```` is checked but not run; the line above must
 * say why: `<!-- no-run: it needs … -->`.
 *
 * @param languages - of the blocks to find
 */
export function snippetsIn(
  file: string,
  text = readFileSync(join(root, file), 'utf8'),
  languages = /^(ts|typescript)$/,
): Snippet[] {
  const lines = text.split('\n');
  const snippets: Snippet[] = [];
  for (let index = 0; index < lines.length; index++) {
    const open = /^(\s*)(`{3,})(\S*) *(.*?)\s*$/.exec(lines[index]!);
    if (!open) continue;
    const [, indent, fence, language, flags] = open as unknown as [string, string, string, string, string];
    const start = index + 1;
    do index++;
    while (index < lines.length && lines[index]!.trim() !== fence);
    if (index === lines.length) throw new Error(`${file}:${start} is never closed`);
    if (!languages.test(language)) continue;
    if (flags && flags !== 'no-run') throw new Error(`${file}:${start}: '${flags}' is not known, only 'no-run'`);
    const above = lines.slice(0, start - 1).filter((line) => line.trim() !== '');
    if (flags && !/^\s*<!--\s*no-run: .*\S.*-->\s*$/.test(above.at(-1) ?? ''))
      throw new Error(`${file}:${start} does not say why it is not run, as <!-- no-run: … --> in the line above`);
    const code = lines.slice(start, index).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
    snippets.push({ file, line: start + 1, code: '\n'.repeat(start) + code.join('\n'), run: flags === '' });
  }
  return snippets;
}

/** Compiles all snippets as one program, and gives the compiler's errors as `file:line: message`. */
export function check(snippets: readonly Snippet[]): string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  // As strict as a reader's project may be.
  options.exactOptionalPropertyTypes = true;
  // A snippet is a module of its own, in the root, from where the package finds itself by the paths of tsconfig.json.
  const named = new Map(
    snippets.map((snippet) => [join(root, `snippet-${snippet.file.replaceAll('/', '-')}-${snippet.line}.ts`), snippet]),
  );
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => named.has(path) || fileExists(path);
  host.readFile = (path) => named.get(path)?.code ?? readFile(path);
  host.getSourceFile = (path, version, ...rest) => {
    const snippet = named.get(path);
    return snippet
      ? ts.createSourceFile(path, `${snippet.code}\nexport {};`, version, true)
      : getSourceFile(path, version, ...rest);
  };
  const program = ts.createProgram([...named.keys()], { ...options, noEmit: true, declaration: false }, host);
  return [...named].flatMap(([path, { file }]) => {
    const source = program.getSourceFile(path)!;
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ start = 0, messageText }) => {
        const line = source.getLineAndCharacterOfPosition(start).line + 1;
        return `${file}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
      },
    );
  });
}

/** Where snippets run: inside the package, so that what they import resolves from there. */
const folder = join(root, `.cache/snippets-${process.pid}`);

const bundled = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'silent',
} as const satisfies BuildOptions;

/** The modules that snippets share. RxJS as ES modules, since its CommonJS modules have no named exports for `import`. */
const library = {
  'runpod-rx': './src/index.ts',
  'runpod-rx/operators': './src/operators/index.ts',
  'runpod-rx/bullmq': './src/bullmq/index.ts',
  'runpod-rx/durable': './src/durable/index.ts',
  'runpod-rx/testing': './src/emulator/index.ts',
  'runpod-rx/emulator': './src/emulator/server/index.ts',
  'runpod-rx/nestjs': './src/nestjs/index.ts',
  'runpod-rx/otel': './src/otel/index.ts',
  'runpod-rx/pg-boss': './src/pg-boss/index.ts',
  'runpod-rx/server': './src/server/index.ts',
  'runpod-rx/undici': './src/undici.ts',
  rxjs: './node_modules/rxjs/dist/esm/index.js',
  'rxjs/testing': './node_modules/rxjs/dist/esm/testing/index.js',
};

/** Bundles the library with its dependencies, once. Else a snippet would spend most of its time loading hundreds of files. */
function buildLibrary(): Promise<unknown> {
  return build({
    ...bundled,
    entryPoints: library,
    outdir: join(folder, 'library'),
    outExtension: { '.js': '.mjs' },
    splitting: true,
    alias: { rxjs: library.rxjs },
    // A framework, of which there must be one copy.
    external: ['@nestjs/*', '@opentelemetry/*'],
    // Dependencies that are CommonJS load Node's own modules by `require`.
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` },
  });
}

let built: Promise<unknown> | undefined;

/** Makes a snippet import the bundle of `buildLibrary`. */
const shared: Plugin = {
  name: 'shared-library',
  setup({ onResolve }) {
    onResolve({ filter: /^(runpod-rx|rxjs)(\/|$)/ }, ({ path }) =>
      path in library ? { path: `./library/${path}.mjs`, external: true } : undefined,
    );
  },
};

/** Removes the files that `run` has made. */
export function cleanUp(): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Whether an error was printed with its stack: the examples' handlers do so, and none of the examples should fail. */
export function printsError(stderr: string): boolean {
  return /^\s+at .*:\d+:\d+\)?$/m.test(stderr);
}

/** How a program ended. */
export interface Outcome {
  /** Why it failed, or was killed because it had not ended in time. */
  readonly error?: ExecFileException;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a snippet as a program of its own, with this environment alone.
 *
 * @param until - what the program prints when it has shown what it is for: it is told to end then
 */
export async function execute(
  { file, line, code }: Snippet,
  env: Readonly<Record<string, string>>,
  timeout = 100_000,
  until?: RegExp,
): Promise<Outcome> {
  await (built ??= buildLibrary());
  const outfile = join(folder, `${file.replaceAll('/', '-')}-${line}.mjs`);
  await build({
    ...bundled,
    // Stack traces then name the Markdown file and its line.
    stdin: { contents: code, sourcefile: file, resolveDir: root, loader: 'ts' },
    outfile,
    packages: 'external',
    plugins: [shared],
    sourcemap: 'inline',
    // As in tsconfig.json, for frameworks with decorators.
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  });
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { PATH: process.env.PATH, ...env }, timeout, killSignal: 'SIGKILL' } as const;
    const child = execFile(process.execPath, ['--enable-source-maps', outfile], options, (error, stdout, stderr) => {
      resolve({ ...(error && { error }), stdout, stderr });
    });
    let output = '';
    child.stdout?.on('data', (text: string) => {
      output += text;
      if (until?.test(output)) child.kill('SIGTERM');
    });
  });
}

/**
 * Runs a snippet with an emulator for its requests. Gives its output. Throws when the program fails, with its stderr, or when it
 * has not ended by itself in time.
 *
 * @param more - environment variables besides those of RunPod
 */
export async function run(
  snippet: Snippet,
  timeout = 100_000,
  { more = {}, until }: { readonly more?: Readonly<Record<string, string>>; readonly until?: RegExp } = {},
): Promise<string> {
  const { file, line } = snippet;
  const key = 'the-key-of-the-documentation';
  const emulator = await startEmulator({ endpoints, keys: [key] });
  try {
    const env = { ...more, RUNPOD_BASE_URL: emulator.baseUrl, RUNPOD_API_KEY: key, ENDPOINT_ID: 'my-endpoint' };
    const { error, stdout, stderr } = await execute(snippet, env, timeout, until);
    if (error?.killed) throw new Error(`${file}:${line} has not ended after ${timeout} ms\n${stdout}${stderr}`);
    if (error || printsError(stderr))
      throw new Error(`${file}:${line} fails\n${stderr.replaceAll(`${relative(folder, root)}/`, '')}`);
    return stdout;
  } finally {
    await emulator.close();
  }
}

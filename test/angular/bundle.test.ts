/** What an application's chunks hold, by a bundler that splits code as the Angular CLI does. Of the source: the same files. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

it('keeps the client out of the chunk that holds the configuration, and pushed events out of that of the client', async () => {
  const files: Record<string, string> = {
    main: `import { provideRunpod, withEvents } from './src/angular/index.ts';
      globalThis.providers = [provideRunpod({}, withEvents())];
      globalThis.page = () => import('page');`,
    page: `export { jobResource, injectEndpoint } from './src/angular/index.ts';`,
  };
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['main'],
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    format: 'esm',
    outdir: 'out',
    external: ['rxjs', '@angular/*', '#adapter', 'axios'],
    logLevel: 'silent',
    plugins: [
      {
        name: 'application',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^(main|page)$/ }, ({ path }) => ({ path, namespace: 'application' }));
          onLoad({ filter: /.*/, namespace: 'application' }, ({ path }) => ({
            contents: files[path],
            resolveDir: root,
          }));
          // What package.json says of the package.
          onResolve({ filter: /^\.{1,2}\/.*\.(js|ts)$/ }, ({ path, resolveDir }) => ({
            path: fileURLToPath(new URL(path.replace(/\.js$/, '.ts'), `file://${resolveDir}/`)),
            sideEffects: false,
          }));
        },
      },
    ],
  });
  /** The files of an entry, and of the chunks that are loaded with it. */
  const filesOf = (entry: string) => {
    const isEntry = (file: string) => metafile.outputs[file]!.entryPoint === entry;
    const chunks = new Set(Object.keys(metafile.outputs).filter(isEntry));
    // A set goes on with what is added to it.
    for (const file of chunks)
      for (const { path, kind, external } of metafile.outputs[file]!.imports)
        if (kind === 'import-statement' && !external) chunks.add(path);
    return [...chunks].flatMap((file) =>
      Object.entries(metafile.outputs[file]!.inputs)
        .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
        .map(([path]) => path),
    );
  };
  expect(filesOf('application:main').sort()).toEqual([
    'application:main',
    'src/angular/RunpodSlot.ts',
    'src/angular/provideRunpod.ts',
  ]);
  const client = filesOf('application:page');
  expect(client).toContain('src/angular/createClient.ts');
  expect(client.filter((file) => file.startsWith('src/events/'))).toEqual([]);
  expect(filesOf('src/events/eventNotices.ts')).toContain('src/events/eventNotices.ts');
});

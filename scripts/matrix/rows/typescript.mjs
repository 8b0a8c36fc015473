/** The compiler's versions: each checks an application, and the declarations that it leans on. */
import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { application } from '../folders.mjs';
import { run } from '../process.mjs';

const consumer = fileURLToPath(new URL('../../../test/package/consumer', import.meta.url));
const { devDependencies } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

/** Copies the application, and adds a project for node16 to its two others. */
function prepare(folder) {
  cpSync(consumer, folder, { recursive: true });
  for (const extension of ['mts', 'cts'])
    copyFileSync(join(folder, 'application.ts'), join(folder, `application.${extension}`));
  const nodenext = readFileSync(join(folder, 'tsconfig.nodenext.json'), 'utf8');
  writeFileSync(join(folder, 'tsconfig.node16.json'), nodenext.replaceAll('"nodenext"', '"node16"'));
}

const typescriptRow = (version, quick) => ({
  name: `TypeScript ${version}`,
  transport: '–',
  needs: '`moduleResolution` `bundler`, `node16` or `nodenext`',
  quick,
  async work({ packed }) {
    const dependencies = { typescript: version, '@types/node': devDependencies['@types/node'] };
    const folder = await application(packed, `typescript-${version}`, dependencies);
    prepare(folder);
    const tsc = join(folder, 'node_modules/typescript/bin/tsc');
    for (const resolution of ['bundler', 'node16', 'nodenext'])
      await run(process.execPath, [tsc, '--project', `tsconfig.${resolution}.json`], { cwd: folder });
    return `${(await run(process.execPath, [tsc, '--version'])).trim().replace('Version', 'tsc')}, bundler, node16 and nodenext`;
  },
});

export const typescriptRows = [
  typescriptRow('5.0', false),
  typescriptRow('5.4', false),
  typescriptRow('5.9', false),
  typescriptRow('6.0', false),
  typescriptRow('7.0', true),
];

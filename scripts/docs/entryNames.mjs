import { readFileSync } from 'node:fs';
import { Converter } from 'typedoc';

const { paths } = JSON.parse(readFileSync(new URL('../../tsconfig.json', import.meta.url), 'utf8')).compilerOptions;

/** The name by which users import an entry, by the name that TypeDoc gives its module: its path in `src/`. */
const entries = new Map(
  Object.entries(paths).map(([name, [file]]) => [file.replace(/^\.\/src\/|(\/index)?\.ts$/g, ''), name]),
);

/** A plugin of TypeDoc: modules are called as users import them, `runpod-rx/testing` rather than `emulator`. */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children) module.name = entries.get(module.name) ?? module.name;
  });
}

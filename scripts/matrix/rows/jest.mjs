/** Jest, with Node and with jsdom, from ES modules and CommonJS. */
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { check } from '../expected.mjs';
import { application } from '../folders.mjs';
import { run } from '../process.mjs';
import { commonjs } from './node.mjs';

const EXAMPLE = 'captions.jest.test.cjs';
const JEST = { jest: '30.5.2', 'jest-environment-jsdom': '30.5.2' };

const body = `
test('the program', async () => {
  const { MATRIX_OPTIONS, MATRIX_RESULT } = process.env;
  fs.writeFileSync(MATRIX_RESULT, JSON.stringify(await program(JSON.parse(MATRIX_OPTIONS))));
}, 120_000);
`;
const tests = {
  'program.test.mjs': `import fs from 'node:fs';\nimport { program } from './program.mjs';\n${body}`,
  'program.test.cjs': `const fs = require('node:fs');\nconst { program } = require('./program.cjs');\n${body}`,
};

/** Runs the example of tests with Jest, as its users do: CommonJS, with no flag. */
async function runExample(folder, temp) {
  const config = join(temp, 'jest-example.json');
  writeFileSync(config, JSON.stringify({ rootDir: folder, testMatch: [`<rootDir>/${EXAMPLE}`], transform: {} }));
  copyFileSync(fileURLToPath(new URL(`../../../examples/one-file/${EXAMPLE}`, import.meta.url)), join(folder, EXAMPLE));
  const jest = join(folder, 'node_modules/jest/bin/jest.js');
  await run(process.execPath, [jest, '--config', config, '--runInBand'], { cwd: folder });
}

const jestRow = (environment, facts) => ({
  name: `Jest, ${environment}`,
  needs: '`--experimental-vm-modules`, as Jest asks for, to load ES modules',
  ...facts,
  async work({ packed, options, temp }) {
    const folder = await application(packed, 'jest', JEST);
    await commonjs(folder);
    for (const [file, text] of Object.entries(tests)) {
      writeFileSync(join(folder, file), text);
      const config = join(temp, `jest-${environment}.json`);
      writeFileSync(
        config,
        JSON.stringify({
          rootDir: folder,
          testEnvironment: environment,
          // jsdom keeps to the same-origin policy, so its page lies beside the emulator.
          testEnvironmentOptions: environment === 'jsdom' ? { url: options.baseUrl } : {},
          testMatch: [`<rootDir>/${file}`],
          moduleFileExtensions: ['js', 'mjs', 'cjs', 'json'],
          transform: {},
          cacheDirectory: join(temp, 'jest-cache'),
        }),
      );
      const result = join(temp, 'jest-result.json');
      rmSync(result, { force: true });
      const jest = join(folder, 'node_modules/jest/bin/jest.js');
      await run(process.execPath, ['--experimental-vm-modules', jest, '--config', config, '--runInBand'], {
        cwd: folder,
        env: { MATRIX_OPTIONS: JSON.stringify(options), MATRIX_RESULT: result },
      });
      check(JSON.parse(readFileSync(result, 'utf8')), facts.expected);
    }
    if (environment === 'node') await runExample(folder, temp);
    return `Jest ${JEST.jest}, ES modules and CommonJS`;
  },
});

export const jestRows = [
  jestRow('node', { transport: 'axios over undici', expected: {}, quick: true }),
  jestRow('jsdom', {
    transport: 'axios over `XMLHttpRequest`',
    // jsdom has no fetch.
    expected: { page: true, refused: 'unknown', fetchTransport: 'connection' },
    quick: true,
  }),
];

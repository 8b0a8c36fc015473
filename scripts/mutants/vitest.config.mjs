import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { alias } from '../../vitest.config.ts';
import { areas } from './areas.mjs';

const { tests, except } = areas[process.env.MUTANTS_AREA];

/** For `npm run mutants`: the tests of one area, on the source as it is being mutated, without a build. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  resolve: { alias },
  test: {
    include: tests,
    ...(except && { testNamePattern: new RegExp(`^(?!.*(${except.source}))`) }),
    isolate: false,
    unstubEnvs: true,
    unstubGlobals: true,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 50_000 } },
  },
});

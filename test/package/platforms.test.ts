import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Bundles a program from dist/, as an application for browsers does. Its exports are properties of `bundle`. */
async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root },
    // Without the paths of this repository's tsconfig.json, which lead to src/.
    tsconfigRaw: '{}',
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'bundle',
    platform: 'browser',
    logLevel: 'silent',
  });
  return outputFiles[0]!.text;
}

/** Globals that every platform has, and no newer ones: as in Jest's jsdom, and in older browsers. */
function fewGlobals(): Record<string, unknown> {
  class OldURL extends URL {
    static override canParse = undefined as never;
  }
  const { setTimeout, clearTimeout, setInterval, clearInterval, AbortController, URLSearchParams, performance } =
    globalThis;
  return {
    setTimeout,
    clearTimeout,
    setInterval,
    clearInterval,
    AbortController,
    URLSearchParams,
    performance,
    URL: OldURL,
  };
}

describe('no platform’s globals are used at import time', () => {
  test.each(['runpod-rx', 'runpod-rx/operators', 'runpod-rx/testing', 'runpod-rx/events', 'runpod-rx/fetch'])(
    'by %s',
    async (entry) => {
      const code = await bundled(`export * from '${entry}'`);
      // A context has the globals of the language, and no others.
      const exported = runInContext(`${code}; Object.keys(bundle).length`, createContext({})) as number;
      expect(exported).toBeGreaterThan(0);
    },
  );
});

describe('with the globals that every platform has', () => {
  let code: string;
  beforeAll(async () => {
    code = await bundled(`
      import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
      import { createRunpod, runAll, runpod } from 'runpod-rx';
      import { createEmulator } from 'runpod-rx/testing';

      const emulator = createEmulator({
        endpoints: {
          upper: { handler: ({ input }) => input.word.toUpperCase() },
          words: { handler: async function* () { yield 'a'; yield 'b'; } },
        },
      });
      const client = createRunpod({ transport: emulator.transport, apiKey: 'key', baseUrl: 'http://localhost/v2' });
      export const jobs = async () => [
        await firstValueFrom(client.endpoint('upper').job({ input: { word: 'hello' } }).output$),
        await lastValueFrom(client.endpoint('words').job({ input: { word: 'x' } }).chunks$.pipe(toArray())),
        (await lastValueFrom(runAll(client.endpoint('upper'), [{ input: { word: 'x' } }]))).output,
      ];
      /** A body whose bytes must be counted: its length alone does not say whether it is too large. */
      export const large = () =>
        firstValueFrom(client.endpoint('upper').run({ input: { word: 'é'.repeat(5_300_000) } })).catch(({ message }) => message);
      export const unsent = () =>
        firstValueFrom(runpod({ apiKey: 'key', retry: false }).endpoint('upper').health()).catch(({ code }) => code);
    `);
  });

  /** Runs an exported function of the program. */
  const call = (name: string, globals = fewGlobals()) =>
    runInContext(`${code}; bundle.${name}()`, createContext(globals)) as Promise<unknown>;

  test('jobs run against the emulator in process', async () => {
    expect(await call('jobs')).toEqual(['HELLO', ['a', 'b'], 'X']);
  });

  test('S20 a body is measured', async () => {
    expect(await call('large')).toMatch(/body is 106\d{5} bytes/);
  });

  test('S22 a request where nothing can send it is an error of the client', async () => {
    expect(await call('unsent')).toBe('connection');
  });

  test('S21 a key in a worker of a page is refused', async () => {
    const worker = { ...fewGlobals(), self: {}, WorkerGlobalScope: Map, importScripts: () => undefined };
    expect(await call('unsent', worker)).toBe('configuration');
  });
});

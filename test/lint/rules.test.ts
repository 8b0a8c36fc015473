import { fileURLToPath } from 'node:url';
import rxjs from 'eslint-plugin-rxjs-x';
import { ESLint } from 'eslint';
import { describe, expect, test } from 'vitest';
import tseslint from 'typescript-eslint';

const cwd = fileURLToPath(new URL('../..', import.meta.url));

/** The rules of this repository, without those that need types: files need not exist. */
const quick = new ESLint({
  cwd,
  overrideConfig: [
    tseslint.configs.disableTypeChecked,
    { rules: Object.fromEntries(Object.keys(rxjs.rules ?? {}).map((name) => [`rxjs-x/${name}`, 'off'])) },
    { rules: { 'house/observable-property': 'off', '@typescript-eslint/no-unused-vars': 'off' } },
  ],
});
const typed = new ESLint({ cwd });

async function reports(eslint: ESLint, filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  return result!.messages.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

describe('imports that are refused', () => {
  test.each([
    // Against the line of rooms.
    ['src/types/A.ts', `import type { X } from '../protocol/limits.js';`],
    ['src/protocol/a.ts', `import { X } from '../errors/index.js';`],
    ['src/errors/A.ts', `import { X } from '../transport/budget.js';`],
    ['src/transport/a.ts', `import { X } from '../sources/poll.js';`],
    ['src/sources/a.ts', `import { X } from '../operators/jobOutput.js';`],
    ['src/sources/a.ts', `import type { X } from '../transport/repeat.js';`],
    ['src/operators/a.ts', `import { X } from '../transport/axiosTransport.js';`],
    ['src/operators/a.ts', `import type { X } from '../endpoint.js';`],
    ['src/operators/a.ts', `import type { X } from '../client/ClientState.js';`],
    ['src/operators/a.ts', `export type { X } from '../job/Job.js';`],
    ['src/operators/a.ts', `export * from '../runpod.js';`],
    ['src/job/A.ts', `import { X } from '../client/ClientState.js';`],
    ['src/job/deep/a.ts', `import { X } from '../../endpoint.js';`],
    ['src/client/A.ts', `import type { X } from '../endpoint.js';`],
    ['src/endpoint.ts', `import { X } from './runpod.js';`],
    ['src/runpod.ts', `import { X } from './index.js';`],
    ['src/runpod.ts', `import { X } from './testing/index.js';`],
    // The emulator finds out for itself what the client believes.
    ['src/testing/a.ts', `import { X } from '../protocol/snapshot.js';`],
    ['src/testing/model/a.ts', `import { X } from '../../errors/index.js';`],
    ['src/testing/a.ts', `import { X } from '../emulator/index.js';`],
    ['src/testing/a.ts', `import { createServer } from 'node:http';`],
    ['src/emulator/a.ts', `import { X } from '../transport/axiosTransport.js';`],
    ['src/emulator/a.ts', `import { X } from '../protocol/checks.js';`],
    // Packages.
    ['src/types/A.ts', `import type { AxiosInstance } from 'axios';`],
    ['src/runpod.ts', `import axios from 'axios';`],
    ['src/endpoint.ts', `import { request } from 'undici';`],
    ['src/transport/adapter.browser.ts', `import { Agent } from 'undici';`],
    ['src/transport/axiosTransport.ts', `import { Agent } from 'undici';`],
    ['src/transport/undiciTransport.ts', `import axios from 'axios';`],
    ['src/transport/budget.ts', `import { axiosSetup } from '#adapter';`],
    ['src/client/a.ts', `import process from 'node:process';`],
    ['src/client/a.ts', `import fs from 'fs';`],
    ['src/sources/a.ts', `import { X } from 'rxjs/operators';`],
    ['src/operators/a.ts', `import { X } from 'runpod-rx';`],
    ['src/client/a.ts', `import { X } from '../../scripts/bootstrap.mjs';`],
    // A room that nobody has thought about.
    ['src/attic/a.ts', `import { X } from '../types/index.js';`],
    // By other ways than an import declaration.
    ['src/operators/a.ts', `export const a = (): unknown => import('../transport/axiosTransport.js');`],
    ['src/operators/a.ts', `export type A = import('../endpoint.js').Endpoint;`],
  ])('%s: %s', async (file, code) => {
    expect(await reports(quick, file, `${code}\n`)).toContainEqual(expect.stringMatching(/^house\/direction: /));
  });
});

describe('imports that are welcome', () => {
  test.each([
    ['src/runpod.ts', `import type { AxiosInstance } from 'axios';\nexport type A = AxiosInstance;`],
    ['src/runpod.ts', `export { X } from './client/ClientState.js';`],
    ['src/endpoint.ts', `export { X } from './job/Job.js';`],
    ['src/client/A.ts', `export { X } from '../job/Job.js';`],
    ['src/job/A.ts', `export { X } from '../transport/compose.js';`],
    ['src/operators/a.ts', `export { X } from '../sources/poll.js';`],
    ['src/sources/a.ts', `export { X } from '../protocol/limits.js';`],
    ['src/protocol/a.ts', `export type { X } from '../types/JobSnapshot.js';`],
    ['src/transport/adapter.node.ts', `export { Agent } from 'undici';\nexport { default } from 'axios';`],
    ['src/transport/undiciTransport.ts', `export { Agent } from 'undici';`],
    ['src/transport/axiosTransport.ts', `export { axiosSetup } from '#adapter';\nexport { default } from 'axios';`],
    ['src/testing/model/a.ts', `export { X } from '../../protocol/operations.js';`],
    ['src/emulator/a.ts', `export { X } from '../testing/index.js';\nexport { createServer } from 'node:http';`],
  ])('%s: %s', async (file, code) => {
    expect(await reports(quick, file, `${code}\n`)).toEqual([]);
  });
});

test.each([
  ['src/types/A.ts', 'export const a = 1;', 'house/only-types'],
  ['src/types/A.ts', 'export enum A { B }', 'house/only-types'],
  ['src/types/A.ts', `export { a } from './B.js';`, 'house/only-types'],
  ['src/types/A.ts', `import { Observable } from 'rxjs';`, 'house/only-types'],
  ['src/protocol/a.ts', 'export function a(): void { throw new Error(); }', 'no-restricted-syntax'],
  ['src/index.ts', 'export const a = 1;', 'no-restricted-syntax'],
  ['src/operators/a.ts', 'export const a = (b: any) => b.subscribe();', 'no-restricted-syntax'],
  ['src/operators/a.ts', 'export const a = (b: any) => b;', '@typescript-eslint/no-explicit-any'],
  ['src/job/a.ts', 'export const a = () => Date.now();', 'no-restricted-properties'],
  ['src/sources/a.ts', 'export const a = () => setTimeout(() => undefined, 1);', 'no-restricted-globals'],
  ['src/job/a.ts', 'export interface JobOptions { readonly a?: number }', 'house/documented-options'],
  // ports.ts imports JobSnapshot.ts.
  ['src/types/JobSnapshot.ts', `export type { JobRunner } from './ports.js';`, 'house/no-cycle'],
])('%s: %s breaks %s', async (file, code, rule) => {
  expect(await reports(quick, file, `${code}\n`)).toContainEqual(expect.stringContaining(`${rule}: `));
});

test('types/ may hold types, and options with documentation are fine', async () => {
  const types = `import type { B } from './B.js';\nexport type * from './C.js';\nexport type A = B;\nexport interface D { a: A }\n`;
  expect(await reports(quick, 'src/types/A.ts', types)).toEqual([]);
  const options = 'export interface JobOptions {\n  /** How many. */\n  readonly a?: number;\n}\n';
  expect(await reports(quick, 'src/job/a.ts', options)).toEqual([]);
});

test(
  'with types: Observable properties end in $, and no subscription is made in another',
  { timeout: 60_000 },
  async () => {
    const code = `
    import { of, type Observable } from 'rxjs';
    export interface Bad { readonly values: Observable<number>; readonly maybe?: Observable<number>; readonly count$: number }
    export class Worse { readonly all = of(1); get some() { return of(1); } constructor(readonly few: Observable<1>) {} }
    export interface Good { readonly values$: Observable<number>; count: number; run(): Observable<number>; notices: Observable<1> }
    of(1).subscribe(() => { of(2).subscribe({ error: () => undefined }); });
  `;
    const found = await reports(typed, 'src/types/ports.ts', code);
    const names = found.flatMap((text) => /^house\/observable-property: '(.*?)'/.exec(text)?.[1] ?? []);
    expect(names).toEqual(['values', 'maybe', 'count$', 'all', 'some', 'few']);
    expect(found).toContainEqual(expect.stringMatching(/^rxjs-x\/no-nested-subscribe: /));
    expect(found).toContainEqual(expect.stringMatching(/^rxjs-x\/no-ignored-error: /));
  },
);

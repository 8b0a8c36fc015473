import { fileURLToPath } from 'node:url';
import rxjs from 'eslint-plugin-rxjs-x';
import { ESLint } from 'eslint';
import { expect, test } from 'vitest';
import tseslint from 'typescript-eslint';

const cwd = fileURLToPath(new URL('../..', import.meta.url));

/** The rules of this repository, without those that need types: files need not exist. */
const quick = new ESLint({
  cwd,
  overrideConfig: [
    tseslint.configs.disableTypeChecked,
    { rules: Object.fromEntries(Object.keys(rxjs.rules ?? {}).map((name) => [`rxjs-x/${name}`, 'off'])) },
    { rules: { 'house/observable-property': 'off', '@typescript-eslint/no-unused-vars': 'off' } },
    {
      files: ['src/**/*.ts'],
      rules: {
        'house/hash-privates': 'error',
        'house/old-names': 'error',
        'max-lines': 'error',
        'no-nested-ternary': 'error',
      },
    },
  ],
});
const typed = new ESLint({ cwd });

async function reports(eslint: ESLint, filePath: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath });
  return result!.messages.map(({ ruleId, message }) => `${ruleId}: ${message}`);
}

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
  ['src/job/a.ts', 'export class A { private b = 1; }', 'house/hash-privates'],
  ['src/job/a.ts', 'export class A { private b(): void {} }', 'house/hash-privates'],
  ['src/job/a.ts', 'export class A { constructor(private readonly b: number) {} }', 'house/hash-privates'],
  ['src/job/a.ts', 'export const a = (b: number) => (b ? 1 : b > 2 ? 2 : 3);', 'no-nested-ternary'],
  ['src/job/a.ts', 'export const a = 1;\n'.repeat(251), 'max-lines'],
  ['src/job/a.ts', 'export const a = structuredClone({});', 'house/platform-globals'],
  ['src/job/a.ts', 'export const a = new TextEncoder();', 'house/platform-globals'],
  ['src/http/transports/a.ts', 'export const a = () => fetch("/");', 'house/platform-globals'],
  ['src/emulator/a.ts', 'export const a = process.env.A;', 'house/platform-globals'],
  ['src/http/a.ts', 'export const a = URL.canParse("/");', 'house/platform-globals'],
  ['src/http/a.ts', 'export const a = () => AbortSignal.timeout(1);', 'house/platform-globals'],
  ['src/http/transports/a.ts', `import { Agent } from 'undici';`, '@typescript-eslint/no-restricted-imports'],
  ['src/job/a.ts', 'export const lossOf = 1;', 'house/old-names'],
  ['src/job/a.ts', 'export function a(left: number): number { return left; }', 'house/old-names'],
  ['src/job/a.ts', 'export const a = ({ told }: { readonly b: 1 }) => told;', 'house/old-names'],
  ['src/job/a.ts', 'export const a: (hurry: number) => void = () => undefined;', 'house/old-names'],
  ['src/job/a.ts', 'export class A { #left = 1; }', 'house/old-names'],
  ['src/job/a.ts', 'export class A { get had(): number { return 1; } }', 'house/old-names'],
  ['src/job/a.ts', 'export interface A { tried: 1 }', 'house/old-names'],
  ['src/job/a.ts', 'export interface A { recall(): 1 }', 'house/old-names'],
  ['src/job/a.ts', 'export interface Keeper { a: 1 }', 'house/old-names'],
  ['src/job/a.ts', 'export type Plan = 1;', 'house/old-names'],
  ['src/job/a.ts', 'export const a = <Plan>(b: Plan) => b;', 'house/old-names'],
  ['src/job/a.ts', 'export class Room {}', 'house/old-names'],
  ['src/job/a.ts', 'export const due = () => 1;', 'house/old-names'],
  ['src/job/a.ts', 'export interface A { begin: () => void }', 'house/old-names'],
  ['src/types/A.ts', 'export interface A { left: 1 }', 'house/old-names'],
])('%s: %s breaks %s', async (file, code, rule) => {
  expect(await reports(quick, file, `${code}\n`)).toContainEqual(expect.stringContaining(`${rule}: `));
});

test('types/ may hold types, and options with documentation are fine', async () => {
  const types = `import type { B } from './B.js';\nexport type * from './C.js';\nexport type A = B;\nexport interface D { a: A }\n`;
  expect(await reports(quick, 'src/types/A.ts', types)).toEqual([]);
  const options = 'export interface JobOptions {\n  /** How many. */\n  readonly a?: number;\n}\n';
  expect(await reports(quick, 'src/job/a.ts', options)).toEqual([]);
});

test.each([
  ['src/types/Diagnosis.ts', 'export interface A { left: 1 }'],
  ['src/job/a.ts', 'export const plan = 1;'],
  ['src/job/a.ts', 'export const due = 1;'],
  ['src/job/a.ts', 'export interface A { begin: number }'],
  ['src/job/a.ts', `import { left } from './b.js';\n\nexport const a = left;`],
  ['src/job/a.ts', `import { b } from './b.js';\n\nexport const a = b({ left: 1 }).told;`],
  ['src/job/a.ts', '// A comment.\n\n'.repeat(200) + 'export const a = 1;\n'.repeat(250)],
  ['src/job/a.ts', 'export class A { #b = 1; protected c = this.#b; }'],
  ['src/http/a.ts', 'export const a = typeof fetch === "function" ? new URL("a:b") : new Map<string, Response>();'],
  [
    'src/http/a.ts',
    'export const a = globalThis.fetch;\nexport const b = (fetch: () => void, c: AbortSignal) => [fetch(), c];',
  ],
  ['src/emulator/server/a.ts', 'export const a = process.env.A;'],
  ['src/http/transports/a.ts', `import type { Agent } from 'undici';`],
])('%s: %s is fine', async (file, code) => {
  const found = await reports(quick, file, `${code}\n`);
  expect(found.filter((text) => /^(house|max-lines|no-nested)/.test(text))).toEqual([]);
});

test('with types: Observable properties end in $, and no subscription is made in another', async () => {
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
});

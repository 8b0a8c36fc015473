import { afterEach, expect, test, vi } from 'vitest';
import { environmentVariable } from '../../src/http/environmentVariable.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** Deno, where one variable may be read, and reading another asks the user. */
function stubDeno(permitted: string) {
  const asked: string[] = [];
  const env = new Proxy(
    {},
    {
      get: (_, name: string) => {
        if (name !== permitted) asked.push(name);
        return 'value';
      },
    },
  );
  vi.stubGlobal('process', { env });
  const querySync = ({ variable }: { variable: string }) => ({ state: variable === permitted ? 'granted' : 'prompt' });
  vi.stubGlobal('Deno', { permissions: { querySync } });
  return asked;
}

test('reads a variable, and takes an empty one for none', () => {
  vi.stubGlobal('process', { env: { FULL: 'value', EMPTY: '' } });
  expect(['FULL', 'EMPTY', 'NONE'].map(environmentVariable)).toEqual(['value', undefined, undefined]);
});

test.each([
  ['no process', undefined],
  ['a process without an environment', {}],
])('finds nothing where there is %s', (_, process) => {
  vi.stubGlobal('process', process);
  expect(environmentVariable('ANY')).toBeUndefined();
});

test('finds nothing where reading is forbidden', () => {
  const refuse = () => {
    throw new Error('NotCapable');
  };
  vi.stubGlobal('process', { env: new Proxy({}, { get: refuse }) });
  expect(environmentVariable('ANY')).toBeUndefined();
});

test('on Deno reads what is permitted, and never asks the user', () => {
  const asked = stubDeno('MINE');
  expect(environmentVariable('MINE')).toBe('value');
  expect(environmentVariable('OTHER')).toBeUndefined();
  expect(asked).toEqual([]);
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Command, folder, submit } from './command.js';

describe('a wrong argument is refused with the rule, and nothing is started', () => {
  test.each([
    ['--port 70000', 'whole number from 0 to 65535'],
    ['--port http', 'whole number from 0 to 65535'],
    ['--workers -1', 'whole number, 0 or more'],
    ['--cold-start soon', '800ms, 30s or 2m'],
    ['--cold-start 5', 'must say its unit: 5ms, 5s'],
    ['--sample --endpoint mine', 'cannot be used with'],
    ['--sample one.mjs', '--sample has endpoints of its own'],
    ['--limits many', '"documented" or "none"'],
    ['--speed 0', '0.01 to 1000'],
    ['--endpoint a/b', 'letters, digits, - and _ only'],
    ['--faults empty-503', '(did you mean "empty-502"?); there is connection-refused'],
    ['--faults empty-502=2', 'between 0 and 1'],
    ['--faults empty-502=', 'between 0 and 1'],
    ['--faults {"empty-502"', 'JSON'],
    ['--cors localhost:5173', 'origin'],
    ['--cors http://localhost:5173/', 'origin'],
    ['--cors *', 'without a value, every origin'],
    ['--cors --cors a', 'origin'],
    ['--nonsense', "unknown option '--nonsense'"],
    ['one.mjs two.mjs', 'too many arguments'],
  ])('%s', async (args, rule) => {
    const command = new Command(['emulate', ...args.split(' ')]);
    expect(await command.ended).toBe(2);
    expect(command.errors).toContain(rule);
    expect(command.errors).not.toMatch(/^\s+at /m);
    expect(command.output).toBe('');
  });
});

test('a port in use ends the command with a message', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const command = new Command(['emulate', '--port', String(port)]);
  expect(await command.ended).toBe(1);
  expect(command.errors).toBe(`error: port ${port} is in use; --port names another, and --port 0 takes any free one\n`);
});

describe('a handlers file', () => {
  test.each([
    ['does not parse', 'export default {', /handlers\.mjs:1\n[^]*SyntaxError: Unexpected end of input\n$/],
    ['throws', 'null.x', /TypeError: Cannot read properties of null[^]*handlers\.mjs:1/],
    ['imports what is not there', `import './other.mjs'`, /Cannot find module [^]*other\.mjs/],
    ['exports nothing', 'export const x = 1', /export as default a handler, or an object of endpoints by id\n$/],
    [
      'exports no handler',
      'export default { one: 1 }',
      /"one" must be a handler, or an object with one as `handler`\n$/,
    ],
    ['has a bad id', 'export default { "a b": () => 1 }', /"a b" is no endpoint id: letters, digits, - and _ only\n$/],
  ])('that %s', async (_, text, message) => {
    const file = join(folder(), 'handlers.mjs');
    writeFileSync(file, text);
    const command = new Command(['emulate', file, '--port', '0']);
    expect(await command.ended).toBe(1);
    expect(command.errors).toMatch(message);
    expect(command.errors).not.toMatch(/node:internal|\?at=/);
  });

  test('that is not there', async () => {
    const command = new Command(['emulate', 'not-there.mjs', '--port', '0']);
    expect(await command.ended).toBe(1);
    expect(command.errors).toBe('error: not-there.mjs: there is no such file\n');
  });
});

test('handlers that throw, never return, or yield for ever stop neither other handlers nor Ctrl-C', async () => {
  const file = join(folder(), 'handlers.mjs');
  writeFileSync(
    file,
    `export default {
      throws: () => { throw new Error('CUDA out of memory'); },
      never: () => new Promise(() => {}),
      forever: async function* (_, { sleep }) { for (;;) { yield 1; await sleep(1); } },
      fine: () => 'fine',
    };`,
  );
  const command = new Command(['emulate', file, '--port', '0']);
  const baseUrl = await command.baseUrl();
  const job = { input: { x: 1 } };
  const run = (id: string) => fetch(`${baseUrl}/${id}/run`, { method: 'POST', body: JSON.stringify(job) });
  await Promise.all([run('never'), run('forever')]);
  expect(await submit(baseUrl, 'throws', job)).toMatchObject({ status: 'FAILED' });
  expect(await submit(baseUrl, 'fine', job)).toMatchObject({ output: 'fine' });
  await expect.poll(() => command.output).toMatch(/throws .*FAILED .*error: CUDA out of memory/);
  expect(await command.signal('SIGTERM')).toBe(0);
});

test('uncaught errors of handlers are shown, and the emulator goes on', async () => {
  const file = join(folder(), 'handlers.mjs');
  writeFileSync(
    file,
    `export default {
      later: () => { setTimeout(() => { throw new TypeError('thrown later'); }, 1); return 'done'; },
      forgotten: () => { void Promise.reject(new Error('rejected, and forgotten')); return 'done'; },
      nothing: () => { void Promise.reject(undefined); return 'done'; },
      stopped: (_, { signal }) => {
        signal.addEventListener('abort', () => { throw new Error('thrown at the stop'); });
        return new Promise(() => {});
      },
      odd: () => ({ get x() { throw new Error('a getter'); } }),
      circular: () => { const list = []; list.push(list); return list; },
      fine: () => 'fine',
    };`,
  );
  const command = new Command(['emulate', file, '--port', '0']);
  const baseUrl = await command.baseUrl();
  const job = { input: { x: 1 } };
  for (const id of ['later', 'forgotten', 'nothing']) {
    expect(await submit(baseUrl, id, job)).toMatchObject({ output: 'done' });
  }
  await expect.poll(() => command.output).toMatch(/nobody caught .*TypeError: thrown later\n +at .*handlers\.mjs:2:/);
  await expect.poll(() => command.output).toMatch(/nobody caught .*Error: rejected, and forgotten/);
  await expect.poll(() => command.output).toMatch(/nobody caught .*undefined/);
  for (const id of ['odd', 'circular']) expect(await submit(baseUrl, id, job)).toMatchObject({ status: 'FAILED' });
  expect(await submit(baseUrl, 'fine', job)).toMatchObject({ output: 'fine' });
  expect(command.output).not.toMatch(/node:internal|\?at=/);
  await fetch(`${baseUrl}/stopped/run`, { method: 'POST', body: JSON.stringify(job) });
  await expect.poll(() => command.output).toMatch(/stopped .*IN_PROGRESS/);
  expect(await command.signal('SIGINT')).toBe(0);
  expect(command.errors).toBe('');
});

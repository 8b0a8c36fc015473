import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Command, folder, submit } from './command.js';

const job = { input: { text: 'hello' } };

test('without a file it echoes the input, shows events, and ends cleanly on Ctrl-C', async () => {
  const command = new Command(['emulate', '--port', '0']);
  const baseUrl = await command.baseUrl();
  expect(await submit(baseUrl, 'demo', job)).toMatchObject({ output: { echo: { text: 'hello' } } });
  await expect.poll(() => command.output).toMatch(/demo {2}sync-\S+ {2}COMPLETED {2}waited/);
  expect(command.output).toMatch(
    /worker\n.*GET_JOB='http:[^]*RUNPOD_SKIP_AUTO_SYSTEM_CHECKS=true RUNPOD_SKIP_GPU_CHECK=true\n/,
  );
  const page = baseUrl.replace(/v2$/, '');
  expect(command.output).toContain(`dashboard  ${page}  in a browser`);
  expect(await (await fetch(page, { headers: { accept: 'text/html' } })).text()).toContain('runpod-rx emulator');
  // Plain lines where there is no terminal.
  expect(command.output).not.toContain('\u001b');
  expect(await command.signal('SIGINT')).toBe(0);
  expect(command.output).toMatch(/Stopped\.\n$/);
  expect(command.errors).toBe('');
  await expect(fetch(`${baseUrl}/demo/health`)).rejects.toThrow();
});

test('shows the last events before it ends', async () => {
  const command = new Command('emulate --port 0'.split(' '));
  const baseUrl = await command.baseUrl();
  const { id } = await submit(baseUrl, 'demo', job);
  expect((await fetch(`${baseUrl}/demo/status/unknown`)).status).toBe(404);
  expect(await command.signal('SIGINT')).toBe(0);
  expect(command.output).toContain(`${String(id)}  COMPLETED`);
  expect(command.output).toMatch(/status\/unknown {2}404\n[^]*Stopped\.\n$/);
});

test('loads the file again when it changes; keeps the handlers if the new file does not load', async () => {
  const file = join(folder(), 'handlers.mjs');
  writeFileSync(file, `export default { one: () => 'first', two: { handler: () => 2, workers: 1 } };`);
  const command = new Command(['emulate', file, '--port', '0']);
  const baseUrl = await command.baseUrl();
  expect(await submit(baseUrl, 'one', job)).toMatchObject({ output: 'first' });
  expect(await submit(baseUrl, 'two', job)).toMatchObject({ output: 2 });

  writeFileSync(file, `export default { one: () => 'second', two: { handler: () => 2, workers: 1 } };`);
  await expect.poll(() => command.output).toContain('loaded  ');
  expect(await submit(baseUrl, 'one', job)).toMatchObject({ output: 'second' });

  writeFileSync(file, `export default { one: () => 'third'`);
  await expect.poll(() => command.output).toMatch(/not loaded .*handlers\.mjs:1[^]*SyntaxError/);
  expect(command.output).toContain('The handlers before stay.');
  expect(await submit(baseUrl, 'one', job)).toMatchObject({ output: 'second' });
});

test('text of clients and handlers cannot steer the terminal', async () => {
  const file = join(folder(), 'handlers.mjs');
  writeFileSync(file, `export default ({ input }) => ({ error: input.text });`);
  const command = new Command(['emulate', file, '--port', '0']);
  const baseUrl = await command.baseUrl();
  await submit(baseUrl, 'demo', {
    input: { text: '\u001b[2Jgone \u0007\u009b1m\u001b]0;title\u0007\r\u001b here\nand on' },
  });
  await expect.poll(() => command.output).toMatch(/FAILED.*error: gone.* here\n/);
  // eslint-disable-next-line no-control-regex -- control characters are what the test looks for
  expect(command.output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test('options reach the emulator', async () => {
  const command = new Command(
    'emulate --port 0 --endpoint mine --key secret --cold-start 20s --speed 100 --faults answer --cors'.split(' '),
  );
  const baseUrl = await command.baseUrl();
  const answer = await fetch(`${baseUrl}/mine/health`, { headers: { origin: 'http://localhost:4200' } });
  expect(answer.status).toBe(500);
  expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:4200');
  expect(command.output).not.toContain('secret');
});

test('--speed makes time pass faster', async () => {
  // At the speed of real time, nothing would be seen within the time of a test.
  const command = new Command('emulate --port 0 --cold-start 1h --speed 1000'.split(' '));
  const baseUrl = await command.baseUrl();
  await fetch(`${baseUrl}/demo/run`, { method: 'POST', body: JSON.stringify(job) });
  await expect.poll(() => command.output).toMatch(/COMPLETED {2}waited \d+ min \d+ s,/);
  expect(Number(/waited (\d+) min/.exec(command.output)?.[1])).toBeGreaterThanOrEqual(59);
});

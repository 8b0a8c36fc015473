import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Command } from './command.js';

/** Runs `runpod-rx faults …` to its end, and returns its exit code and output. */
async function faults(baseUrl: string, ...args: string[]) {
  const command = new Command(['faults', ...args, '--port', new URL(baseUrl).port]);
  const code = await command.ended;
  return { code, lines: command.output.trimEnd().split('\n'), errors: command.errors };
}

test('shows, adds, replaces and removes the faults of a running emulator', async () => {
  const baseUrl = await new Command(['emulate', '--port', '0', '--key', 'secret']).baseUrl();
  const status = async () =>
    (await fetch(`${baseUrl}/demo/health`, { headers: { authorization: 'Bearer secret' } })).status;

  expect(await faults(baseUrl)).toEqual({ code: 0, lines: ['no faults'], errors: '' });
  expect((await faults(baseUrl, 'empty-502,lost-worker=0.5')).lines).toEqual([
    '1  empty-502    seen 0, struck 0',
    '2  lost-worker  {"probability":0.5}  seen 0, struck 0',
  ]);
  expect(await status()).toBe(502);
  expect((await faults(baseUrl)).lines[0]).toBe('1  empty-502    seen 1, struck 1');
  expect((await faults(baseUrl, '--remove', '1')).lines).toEqual([
    '2  lost-worker  {"probability":0.5}  seen 0, struck 0',
  ]);
  expect(await status()).toBe(200);
  expect((await faults(baseUrl, '[{"fault":"answer","status":418}]', '--clear')).lines).toEqual([
    '3  answer  {"status":418}  seen 0, struck 0',
  ]);
  expect(await status()).toBe(418);
  expect((await faults(baseUrl, '--clear')).lines).toEqual(['no faults']);
  expect(await status()).toBe(200);
});

test('says why a change is refused', async () => {
  const baseUrl = await new Command(['emulate', '--port', '0']).baseUrl();
  expect(await faults(baseUrl, 'empty-503')).toMatchObject({
    code: 2,
    errors: expect.stringContaining('(did you mean "empty-502"?); there is connection-refused'),
  });
  expect(await faults(baseUrl, '--remove', '7')).toMatchObject({ code: 1, errors: 'error: there is no fault 7\n' });
  expect(await faults(baseUrl, '--remove', 'x')).toMatchObject({ code: 2, errors: expect.stringContaining('whole') });

  expect(await faults('http://127.0.0.1:1')).toEqual({
    code: 1,
    lines: [''],
    errors: 'error: no emulator answers at http://127.0.0.1:1; --port says where it listens\n',
  });
  const other = createServer((_, response) => response.end('hello'));
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  expect(await faults(`http://127.0.0.1:${port}`)).toEqual({
    code: 1,
    lines: [''],
    errors: `error: what answers at http://127.0.0.1:${port} is no emulator; --port says where it listens\n`,
  });
});

import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { printable } from '../../src/cli/printable.js';
import { line, paint, render } from '../../src/cli/Text.js';
import { Command, folder, submit } from './command.js';

const job = { input: { text: 'hello' } };
const hostile = '\u001b]0;PWNED\u0007\u001b[2J\u001b[31m\u009b1m\r\u0008\u007f\u202e\tseen';
// eslint-disable-next-line no-control-regex -- control characters are what the tests look for
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

describe('the terminal', () => {
  test('gets no control character of handlers, by whatever way they print', async () => {
    const file = join(folder(), 'handlers.mjs');
    writeFileSync(
      file,
      `console.log(${JSON.stringify(hostile)} + ' at the start');
      export default async ({ input }, { log, progress }) => {
        log(input.text, 'logged', { deep: input.text });
        console.log(input.text, 'to the console');
        console.error(input.text, 'as an error');
        process.stdout.write(input.text + ' to stdout\\n');
        process.stderr.write(Buffer.from(input.text + ' to stderr\\n'), () => log('written'));
        process.stdout.write(input.text + ' without an end');
        progress(input.text);
        setTimeout(() => { throw new Error(input.text + ' thrown later'); });
        throw new Error(input.text + ' thrown');
      };`,
    );
    const command = new Command(['emulate', file, '--port', '0']);
    const baseUrl = await command.baseUrl();
    await submit(baseUrl, 'demo', { input: { text: hostile } });
    for (const words of [
      'at the start',
      'logged',
      'to the console',
      'as an error',
      'to stdout',
      'to stderr',
      'written',
      'thrown later',
      'error: .*thrown',
    ])
      await expect.poll(() => command.output).toMatch(new RegExp(words));
    expect(await command.signal('SIGINT')).toBe(0);
    expect(command.output).toContain('without an end');
    expect(command.output + command.errors).not.toMatch(CONTROLS);
  });

  test('gets none of workers, paths and faults', async () => {
    const command = new Command(['emulate', '--port', '0', '--workers', '0']);
    const baseUrl = await command.baseUrl();
    const reason = encodeURIComponent(hostile);
    await fetch(`${baseUrl}/demo/ping/w1?status=unhealthy&check=${reason}&reason=${reason}`);
    await fetch(`${baseUrl}/demo/status/${reason}`, { headers: { 'user-agent': '\u009b2J' } });
    await expect
      .poll(() => command.output)
      .toMatch(/demo {2}worker w1 is unhealthy: its check ".*seen" failed: .*seen/);
    await expect.poll(() => command.output).toMatch(/status\/.* {2}404/);
    const rule = { fault: 'bare-error', message: hostile, endpoint: 'x' };
    await fetch(baseUrl.replace('/v2', '/__emulator/faults'), { method: 'POST', body: JSON.stringify(rule) });
    const { port } = new URL(baseUrl);
    const shown = new Command(['faults', '--port', port]);
    expect(await shown.ended).toBe(0);
    expect(shown.output).toContain('bare-error');
    const wrong = new Command(['faults', hostile.replaceAll('\u0000', ''), '--port', port]);
    expect(await wrong.ended).toBe(2);
    expect(command.output + shown.output + wrong.errors).not.toMatch(CONTROLS);
  });

  test('shows styles of the command only', () => {
    const text = line`${paint('red', hostile)} ${hostile} ${[hostile, paint('dim', '')]}`;
    expect(render(text, false)).toBe('  seen   seen   seen');
    expect(render(text, true)).toBe('\u001b[31m  seen\u001b[39m   seen   seen');
    expect(printable('a\nb')).toBe('a\nb');
    expect(printable('x'.repeat(100_000))).toHaveLength(20_001);
  });
});

describe('the handlers file is loaded again', () => {
  const text = (word: string) => `export default { e: () => '${word}' };`;
  const start = async (file: string) => {
    const command = new Command(['emulate', file, '--port', '0']);
    const baseUrl = await command.baseUrl();
    const output = async () => (await submit(baseUrl, 'e', job)).output;
    expect(await output()).toBe('one');
    return output;
  };

  test('where it is a link, and what it leads to is edited, or the link leads elsewhere', async () => {
    const dir = folder();
    for (const name of ['a', 'b']) mkdirSync(join(dir, name));
    writeFileSync(join(dir, 'a/real.mjs'), text('one'));
    writeFileSync(join(dir, 'a/other.mjs'), text('four'));
    const link = join(dir, 'b/handlers.mjs');
    symlinkSync('../a/real.mjs', link);
    const output = await start(link);
    // The first change may be seen by the first look at the file: the second shows that it is looked at again.
    for (const word of ['two', 'three']) {
      writeFileSync(join(dir, 'a/real.mjs'), text(word));
      await expect.poll(output).toBe(word);
    }
    symlinkSync('../a/other.mjs', join(dir, 'b/new'));
    renameSync(join(dir, 'b/new'), link);
    await expect.poll(output).toBe('four');
  });

  test('where its folder is a link that leads elsewhere, as in a config map of Kubernetes', async () => {
    const dir = folder();
    for (const [name, word] of [
      ['..1', 'one'],
      ['..2', 'two'],
      ['..3', 'three'],
    ] as const) {
      mkdirSync(join(dir, name));
      writeFileSync(join(dir, name, 'handlers.mjs'), text(word));
    }
    symlinkSync('..1', join(dir, '..data'));
    symlinkSync('..data/handlers.mjs', join(dir, 'handlers.mjs'));
    const output = await start(join(dir, 'handlers.mjs'));
    for (const [before, next, word] of [
      ['..1', '..2', 'two'],
      ['..2', '..3', 'three'],
    ] as const) {
      symlinkSync(next, join(dir, '..new'));
      renameSync(join(dir, '..new'), join(dir, '..data'));
      rmSync(join(dir, before), { recursive: true });
      await expect.poll(output).toBe(word);
    }
  });

  test('where its folder is replaced, or an editor renames a new file over it', async () => {
    const dir = folder();
    const file = join(dir, 'in/handlers.mjs');
    mkdirSync(join(dir, 'in'));
    writeFileSync(file, text('one'));
    const output = await start(file);
    rmSync(join(dir, 'in'), { recursive: true });
    mkdirSync(join(dir, 'in'));
    writeFileSync(file, text('two'));
    await expect.poll(output).toBe('two');
    writeFileSync(`${file}~`, text('three'));
    renameSync(`${file}~`, file);
    await expect.poll(output).toBe('three');
  });
});

test('ids are not given out again after a restart, unless a seed is given', async () => {
  const idOf = async (...args: string[]) => {
    const command = new Command(['emulate', '--port', '0', '--workers', '0', ...args]);
    const baseUrl = await command.baseUrl();
    const answer = await fetch(`${baseUrl}/demo/run`, { method: 'POST', body: JSON.stringify(job) });
    const seed = /seed +(\S+)/.exec(command.output)?.[1] ?? '';
    await command.signal('SIGKILL');
    return { seed, ...((await answer.json()) as { id: string }) };
  };
  const [one, two] = [await idOf(), await idOf()];
  expect(one.id).not.toBe(two.id);
  expect(one.seed).not.toBe(two.seed);
  expect(await idOf('--seed', one.seed)).toEqual(one);
});

describe('who may call', () => {
  const status = (baseUrl: string, headers: Record<string, string>) =>
    new Promise<number | undefined>((resolve, reject) => {
      const asked = request(`${baseUrl}/demo/health`, { headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.on('error', reject).end();
    });

  test('pages of the origins that --cors names, and names that --allow-host names', async () => {
    const args =
      '--cors https://a.example --cors https://b.example --allow-host emulator.internal --allow-host my.test';
    const baseUrl = await new Command(['emulate', '--port', '0', ...args.split(' ')]).baseUrl();
    const seen = [];
    for (const origin of ['https://a.example', 'https://b.example', 'https://c.example'])
      seen.push(await status(baseUrl, { origin }));
    for (const host of ['emulator.internal:8008', 'my.test', 'other.test']) seen.push(await status(baseUrl, { host }));
    expect(seen).toEqual([200, 200, 403, 200, 200, 403]);
  });

  test('with --host, everyone who reaches the address: the command warns of it, and shows an address that leads to it', async () => {
    const command = new Command(['emulate', '--port', '0', '--host', '0.0.0.0']);
    const baseUrl = await command.baseUrl();
    expect(baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v2$/);
    expect(command.output).toMatch(/warning {2}Everyone on the network can run the handlers .*0\.0\.0\.0.*--key/);
    expect(await status(baseUrl, { host: 'emulator:8008' })).toBe(200);
    expect(await status(baseUrl, { host: 'evil.example' })).toBe(403);
    const faults = new Command(['faults', '--port', new URL(baseUrl).port, '--host', 'localhost']);
    expect(await faults.ended).toBe(0);
  });

  test('no warning where only this machine can call', async () => {
    const command = new Command(['emulate', '--port', '0', '--host', 'localhost']);
    await command.baseUrl();
    expect(command.output).not.toContain('warning');
  });

  test.each([
    ['--host a/b', 2],
    ['--host http://x', 2],
    ['--allow-host a@b', 2],
    ['--host 192.0.2.1', 1],
  ])('%s is refused', async (args, code) => {
    const command = new Command(['emulate', '--port', '0', ...args.split(' ')]);
    expect(await command.ended).toBe(code);
    expect(command.errors).toMatch(/without a port|no address of this machine/);
  });
});

test.each([
  ['{ one: { hadler: () => 1 } }', 'one.hadler is a function, but is unknown: did you mean handler?'],
  ['{ one: { handler: () => 1, workers: -1 } }', 'one.workers is -1, but must be a whole number'],
])('a handlers file with %s is refused', async (text, message) => {
  const file = join(folder(), 'handlers.mjs');
  writeFileSync(file, `export default ${text}`);
  const command = new Command(['emulate', file, '--port', '0']);
  expect(await command.ended).toBe(1);
  expect(command.errors).toContain(message);
  expect(command.errors).not.toMatch(/^\s+at /m);
});

import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { readLines } from '../../src/cli/pipeline/readLines.js';
import { ResultsFile } from '../../src/cli/pipeline/ResultsFile.js';
import { folder } from './command.js';
import { service } from './service.js';

let path: (name: string) => string;

beforeEach(() => {
  const place = folder();
  path = (name) => join(place, name);
});

const numbers = (count: number) => Array.from({ length: count }, (_, n) => JSON.stringify({ n }));
const write = (lines: readonly string[]) => {
  writeFileSync(path('in.jsonl'), `${lines.join('\n')}\n`);
};
const lines = (name: string) =>
  readFileSync(path(name), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const args = (endpoint: string, ...more: readonly string[]) => [
  'pipeline',
  endpoint,
  path('in.jsonl'),
  '-o',
  path('out.jsonl'),
  ...more,
];

describe('lines', () => {
  test.each([
    ['end with a line feed', '1\n2\n', ['1', '2']],
    ['the last need not', '1\n2', ['1', '2']],
    ['with CRLF', '1\r\n2\r\n', ['1', '2']],
    ['after a byte order mark', '\uFEFF1\n2\n', ['1', '2']],
    ['that are blank are none', '\n1\n  \n\n2\n', ['1', '2']],
    ['do not end at separators of Unicode', '"a\u2028b\u2029c\u0085"\n2', ['"a\u2028b\u2029c\u0085"', '2']],
    ['none', '', []],
  ])('%s', async (_, text, expected) => {
    for (const size of [1, 3, 1_000]) {
      const bytes = new TextEncoder().encode(text);
      const parts = (async function* () {
        for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
      })();
      const found = [];
      for await (const line of readLines(parts)) found.push(line.text);
      expect(found).toEqual(expected);
    }
  });

  test('have their numbers in the file, blank lines included', async () => {
    const found = [];
    for await (const line of readLines(bytesOf('\n1\n\n2'))) found.push(line.number);
    expect(found).toEqual([2, 4]);
  });

  test('that are no UTF-8 are an error', async () => {
    const read = async () => {
      for await (const line of readLines(bytesOf(new Uint8Array([49, 10, 0xff, 10])))) expect(line.text).toBe('1');
    };
    await expect(read()).rejects.toThrow('no UTF-8, in line 1 or after it');
  });
});

async function* bytesOf(given: string | Uint8Array) {
  yield await Promise.resolve(typeof given === 'string' ? new TextEncoder().encode(given) : given);
}

describe('a file of results', () => {
  const all = [
    { line: 1, key: 'a', output: '\u2028' },
    { line: 2, key: 'b', output: 2 },
  ];
  const whole = all.map((one) => `${JSON.stringify(one)}\n`).join('');

  test('that was cut at any byte has whole lines, and takes what is missing', () => {
    const bytes = Buffer.from(whole);
    for (let length = 0; length <= bytes.length; length++) {
      writeFileSync(path('out.jsonl'), bytes.subarray(0, length));
      const results = new ResultsFile(path('out.jsonl'), 'output');
      for (const one of all) results.append(one);
      results.close();
      expect(readFileSync(path('out.jsonl'), 'utf8')).toBe(whole);
    }
  });

  test.each(['{"name":1}', '{"key":"b","line":2}', '{"key":1,"line":2,"output":1}', 'no JSON'])(
    'with the line %s is none, and is left as it is',
    (line) => {
      const text = `${JSON.stringify(all[0])}\n${line}\nand more`;
      writeFileSync(path('out.jsonl'), text);
      expect(() => new ResultsFile(path('out.jsonl'), 'output')).toThrow('line 2 of');
      expect(readFileSync(path('out.jsonl'), 'utf8')).toBe(text);
    },
  );

  test.each(['{"name":1}', '{"line":"one","key":"a"}', '{"line":1,"name":"a"}', 'no JSON', ' '])(
    'that ends with %s and no line feed is none, and is left as it is',
    (end) => {
      for (const text of [end, `${whole}${end}`]) {
        writeFileSync(path('out.jsonl'), text);
        expect(() => new ResultsFile(path('out.jsonl'), 'output')).toThrow('was not written by this command');
        expect(readFileSync(path('out.jsonl'), 'utf8')).toBe(text);
      }
    },
  );
});

test('each line has a result, and equal lines are jobs of their own', async () => {
  const { run, asked } = await service();
  write([...numbers(30), '{"n":3}', '{ "n": 3 }']);
  const command = run(args('number', '--json', '--price', '0.5', '--with-input'));
  expect(await command.ended).toBe(0);
  expect(JSON.parse(command.output)).toMatchObject({ inputs: 32, results: 32, failures: 0, ambiguous: 0 });
  expect(asked('run')).toBe(32);
  const results = lines('out.jsonl');
  expect(results.map(({ line }) => line).sort((one, other) => Number(one) - Number(other))).toEqual(
    Array.from({ length: 32 }, (_, n) => n + 1),
  );
  for (const { input, output } of results) expect(output).toEqual(input);
  expect(new Set(results.map(({ id }) => id)).size).toBe(32);
  expect(existsSync(path('out.failed.jsonl'))).toBe(false);
});

test('run again, it submits what is new: an inserted line moves no other', async () => {
  const { run, asked } = await service();
  write(numbers(10));
  expect(await run(args('number')).ended).toBe(0);
  write(['{"n":77}', ...numbers(10), '{"n":4}']);
  const again = run(args('number'));
  expect(await again.ended).toBe(0);
  expect(again.errors).toContain('12 results');
  expect(asked('run')).toBe(12);
  expect(lines('out.jsonl')).toHaveLength(12);
});

test('results that were lost come back, without a job', async () => {
  const { run, asked } = await service();
  write(numbers(10));
  expect(await run(args('number')).ended).toBe(0);
  writeFileSync(path('out.jsonl'), readFileSync(path('out.jsonl'), 'utf8').slice(0, -20));
  appendFileSync(path('in.jsonl'), '{"n":10}\n');
  expect(await run(args('number')).ended).toBe(0);
  expect(asked('run')).toBe(11);
  expect(
    lines('out.jsonl')
      .map(({ output }) => (output as { n: number }).n)
      .sort((one, other) => one - other),
  ).toEqual(Array.from({ length: 11 }, (_, n) => n));
});

test('a job that the journal does not know any more is paid again, and its result is written', async () => {
  const { run, emulator } = await service();
  for (const n of [1, 2]) {
    write([JSON.stringify({ id: 'x', n })]);
    rmSync(path('out.journal'), { recursive: true, force: true });
    expect(await run(args('number', '--key', 'id')).ended).toBe(0);
  }
  expect(await run(args('number', '--key', 'id')).ended).toBe(0);
  expect(lines('out.jsonl').map(({ key, output }) => [key, output])).toEqual([
    ['x', { n: 1 }],
    ['x', { n: 2 }],
  ]);
  expect(emulator.jobs()).toHaveLength(2);
});

test('what fails is in a file of its own, and runs again where that is asked', async () => {
  let works = false;
  const { run, asked } = await service({
    endpoints: {
      shaky: ({ input }) => {
        if (!works && Number(input.n) % 2 === 1) throw new Error('out of memory');
        return { n: input.n };
      },
    },
  });
  write(numbers(6));
  const first = run(args('shaky'));
  expect(await first.ended).toBe(1);
  expect(first.errors).toContain('3 results');
  expect(first.errors).toContain('3 failures');
  expect(lines('out.failed.jsonl')).toHaveLength(3);
  expect(lines('out.failed.jsonl')[0]).toMatchObject({
    error: { code: 'job_failed', message: expect.stringContaining('out of memory') as string },
    input: { n: expect.any(Number) as number },
  });
  works = true;
  expect(await run(args('shaky')).ended).toBe(1);
  expect(asked('run')).toBe(6);
  expect(lines('out.failed.jsonl')).toHaveLength(3);
  expect(await run(args('shaky', '--retry-failed')).ended).toBe(0);
  expect(asked('run')).toBe(9);
  expect(lines('out.jsonl')).toHaveLength(6);
  expect(existsSync(path('out.failed.jsonl'))).toBe(false);
});

test('a dry run says what would be done', async () => {
  const { run, emulator } = await service();
  write(numbers(5));
  expect(await run(args('number')).ended).toBe(0);
  write(numbers(8));
  const requests = emulator.requests().length;
  const command = run(args('number', '--dry-run', '--json'));
  expect(await command.ended).toBe(0);
  expect(JSON.parse(command.output)).toMatchObject({ inputs: 8, ended: 5, running: 0, ambiguous: 0, toSubmit: 3 });
  expect(emulator.requests()).toHaveLength(requests);
});

test('a dry run counts what would be paid again', async () => {
  const { run } = await service();
  write(['{"n":1}', '{"n":2}']);
  expect(await run(args('broken')).ended).toBe(1);
  const command = run(args('broken', '--dry-run', '--json', '--retry-failed'));
  expect(await command.ended).toBe(0);
  expect(JSON.parse(command.output)).toMatchObject({ inputs: 2, ended: 0, toSubmit: 2 });
});

test.each([
  ['a line that is no JSON', ['{"n":1}', '{n:2}'], [], 'line 2 of', 'is no JSON'],
  ['a line that is no object', ['[1]'], [], 'line 1 of', 'must be an object of JSON'],
  ['a key twice', ['{"id":"a"}', '{"id":"a"}'], ['--key', 'id'], 'line 2 of', 'has the same id as line 1'],
  ['no key', ['{"id":"a"}', '{}'], ['--key', 'id'], 'line 2 of', 'has no text and no number as id'],
])('%s is refused before anything is sent', async (_, given, more, ...said) => {
  const { run, emulator } = await service();
  write(given);
  const command = run(args('number', ...more));
  expect(await command.ended).toBe(2);
  for (const words of said) expect(command.errors).toContain(words);
  expect(emulator.requests()).toEqual([]);
  expect(existsSync(path('out.jsonl'))).toBe(false);
});

test.each([
  ['-o', 'in.jsonl'],
  ['--failures', 'in.jsonl'],
  ['--failures', 'out.jsonl'],
])('%s %s is refused: no file may be two of them', async (option, name) => {
  const { run, emulator } = await service();
  write(numbers(3));
  const before = readFileSync(path('in.jsonl'), 'utf8');
  const command = run(args('number', option, path(name)));
  expect(await command.ended).toBe(2);
  expect(command.errors).toContain('must be different files');
  expect(readFileSync(path('in.jsonl'), 'utf8')).toBe(before);
  expect(emulator.requests()).toEqual([]);
});

test('inputs come from the standard input, too', async () => {
  const { run } = await service();
  const command = run(['pipeline', 'number', '-', '-o', path('out.jsonl')], { input: numbers(7).join('\n') });
  expect(await command.ended).toBe(0);
  expect(lines('out.jsonl')).toHaveLength(7);
});

test('a wrong key ends it at once, and leaves nothing to be paid', async () => {
  const { run, asked, emulator } = await service({ keys: ['test-key-placeholder'] });
  write(numbers(200));
  const command = run(args('number'), { env: { RUNPOD_API_KEY: 'another' } });
  expect(await command.ended).toBe(3);
  expect(command.errors).toContain('does not accept the key');
  expect(asked('run')).toBeLessThan(20);
  expect(emulator.jobs()).toEqual([]);
  const again = run(args('number'), { env: { RUNPOD_API_KEY: 'test-key-placeholder' } });
  expect(await again.ended).toBe(0);
  expect(lines('out.jsonl')).toHaveLength(200);
});

describe('ended in the middle, it goes on:', () => {
  const slow = {
    endpoints: {
      slow: {
        handler: async ({ input }: { input: Record<string, unknown> }) => {
          await new Promise((resolve) => setTimeout(resolve, 100));
          return { n: input.n };
        },
        workers: 8,
      },
    },
  };
  const total = 60;
  const results = () =>
    existsSync(path('out.jsonl')) ? readFileSync(path('out.jsonl'), 'utf8').split('\n').length - 1 : 0;
  const assertWhole = () => {
    const found = lines('out.jsonl').map(({ output }) => (output as { n: number }).n);
    expect(found.sort((one, other) => one - other)).toEqual(Array.from({ length: total }, (_, n) => n));
  };

  test('SIGTERM lets the jobs at work go on', async () => {
    const { run, asked, emulator } = await service(slow);
    write(numbers(total));
    const command = run(args('slow'));
    await expect.poll(results).toBeGreaterThan(5);
    expect(await command.signal('SIGTERM')).toBe(143);
    expect(command.errors).toContain('the jobs at work go on; run the same command again to go on');
    expect(await run(args('slow')).ended).toBe(0);
    assertWhole();
    expect(asked('cancel')).toBe(0);
    expect(emulator.jobs()).toHaveLength(total);
  });

  test('Ctrl-C cancels the jobs at work, which run again', async () => {
    const { run, emulator } = await service(slow);
    write(numbers(total));
    const command = run(args('slow'));
    await expect.poll(results).toBeGreaterThan(5);
    expect(await command.signal('SIGINT')).toBe(130);
    expect(command.errors).toContain('run the same command again to go on');
    expect(emulator.jobs().filter(({ status }) => status === 'IN_PROGRESS' || status === 'IN_QUEUE')).toEqual([]);
    expect(await run(args('slow')).ended).toBe(0);
    assertWhole();
    const completed = emulator.jobs().filter(({ status }) => status === 'COMPLETED');
    expect(completed).toHaveLength(total);
  });

  test('kill -9, again and again', async () => {
    const { run, emulator } = await service(slow);
    write(numbers(total));
    for (let kills = 0; kills < 6; kills++) {
      const before = results();
      const command = run(args('slow', '--concurrency', '4', '--ambiguous', 'resubmit'));
      await expect.poll(() => results() > before || command.hasEnded).toBe(true);
      await command.signal('SIGKILL');
    }
    const last = run(args('slow', '--ambiguous', 'resubmit'));
    expect(await last.ended).toBe(0);
    assertWhole();
    // At most what was in flight at the kills is paid twice.
    expect(emulator.jobs().length - total).toBeLessThanOrEqual(6 * 4);
  });

  test('a journal that cannot be closed is said, without the code that failed', async () => {
    const { run } = await service(slow);
    write(numbers(total));
    const command = run(args('slow'));
    await expect.poll(results).toBeGreaterThan(2);
    rmSync(path('out.journal'), { recursive: true });
    expect(await command.signal('SIGTERM')).toBe(143);
    expect(command.errors).toContain('error: ENOENT');
    expect(command.errors).not.toMatch(/^ +at /m);
  });

  test('a second process is refused', async () => {
    const { run } = await service(slow);
    write(numbers(total));
    const first = run(args('slow'));
    await expect.poll(results).toBeGreaterThan(2);
    const second = run(args('slow'));
    expect(await second.ended).toBe(1);
    expect(second.errors).toContain('is owned by process');
    expect(await first.ended).toBe(0);
    assertWhole();
  });

  test('a reader of the progress that goes leaves the jobs at work alone', async () => {
    const { run, asked } = await service(slow);
    write(numbers(total));
    const command = run(args('slow'));
    command.closeErrors();
    await expect.poll(results).toBeGreaterThan(2);
    // It is told of the closed output when it writes again.
    expect([0, 141]).toContain(await command.ended);
    expect(await run(args('slow')).ended).toBe(0);
    assertWhole();
    expect(asked('cancel')).toBe(0);
  });
});

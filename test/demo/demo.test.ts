import { readFileSync, rmSync } from 'node:fs';
import { crc32, inflateSync } from 'node:zlib';
import { BehaviorSubject, filter, firstValueFrom, tap } from 'rxjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { startEmulator, type EmulatedEndpoint } from 'runpod-rx/emulator';
import { demo, withFile } from './demo.js';

const ESCAPE = '\u001b';

// Builds what is missing, which several at once would do in each other's way.
beforeAll(() => demo({ args: ['--help'] }));

// Concurrent, since the demo mostly waits, for those who look at it.
describe.concurrent('the tour', () => {
  test('shows every step in plain lines where there is no terminal, and ends with 0', async () => {
    const picture = new URL('../../.cache/fractal.png', import.meta.url);
    rmSync(picture, { force: true });
    const { code, stdout, stderr } = await demo();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain(ESCAPE);
    expect(stdout).not.toContain('\r');
    expect(stdout.split('\n').filter((line) => /^\d {2}/.test(line))).toHaveLength(9);

    const parts = stdout.split(/^\d {2}.*$/m);
    const [, writing = '', painting = '', failing = '', cancelling = '', leaving = ''] = parts;
    const [reloading = '', typing = '', rendering = '', health = ''] = parts.slice(6);
    expect(writing).toMatch(/IN_QUEUE[^]*IN_PROGRESS[^]*\n {4}The town [^]*\.\n[^]*COMPLETED/);
    expect(painting).toMatch(/(\d\d %[^]*){2} 100 % {2}completed · completed · completed/);
    expect(painting.split('\n').filter((line) => /^ {4}[ .:=+*#%@-]{20,}$/.test(line))).toHaveLength(24);
    expect(failing).toContain(`cause   line 3 of the bill (Bread): '3,2o' is not a number`);
    expect(failing).toContain(`code 'job_failed'`);
    expect(cancelling).toMatch(/IN_PROGRESS[^]*job\.cancel\(\)\n {2}CANCELLED/);
    expect(cancelling).toContain(`the server's ledger: job cancelled, its run cancelled after `);
    expect(leaving).toMatch(/unsubscribed[^]*settled: 1 cancelled, [^]*-u1\n[^]*ledger: job cancelled/);

    const [, count] =
      /detached: \{"v":1,"endpointId":"writer","id":"[^"]+","submittedAt":\d+,"chunks":(\d+)\}\n/.exec(reloading) ?? [];
    const [, before, after, all] =
      /(\d+) chunks before, (\d+) after; the output has (\d+): each came once, in order/.exec(reloading) ?? [];
    expect([before, Number(before) + Number(after)]).toEqual([count, Number(all)]);
    expect(Number(after)).toBeGreaterThan(0);

    expect(typing.match(/the server got \/run/g)).toHaveLength(5);
    expect([...typing.matchAll(/the server got \/cancel +(\w+)/g)].map(([, prefix]) => prefix)).toEqual([
      'b',
      'bo',
      'boo',
      'boa',
    ]);
    expect(typing.match(/found .*/g)).toEqual(['found   boat, boatman, boatswain']);
    expect(
      [...typing.matchAll(/^ {4}(\w+) +(cancelled|completed) +after/gm)].map(([, prefix, end]) => `${prefix} ${end}`),
    ).toEqual(['b cancelled', 'bo cancelled', 'boo cancelled', 'boa cancelled', 'boat completed']);
    expect(rendering).toMatch(/ % {2}\d+ of 48 squares · \d workers run[^]* 100 % {2}48 of 48 squares\n/);
    expect(rendering).toContain('fractal.png  2048 × 1536 pixels, 1 square rendered again\n');
    const { width, height, rows } = pixelsOf(readFileSync(picture));
    expect([width, height, rows.length]).toEqual([2048, 1536, 1536]);
    // Black where nothing escapes, and the same above and below the middle.
    expect(rows[768]![1400]).toBe(255);
    expect(rows[0]![0]).toBeLessThan(100);
    for (const above of [1, 300, 500, 767]) expect(rows[768 - above]!.equals(rows[768 + above]!)).toBe(true);

    expect(health).toMatch(/painter +3 completed, 0 failed/);
    expect(health).toMatch(/renderer +48 completed, 1 failed, 0 in progress, 0 in the queue/);
  });

  test('cancels what runs at Ctrl-C, says so, and ends with 130', async () => {
    const { code, stdout, stderr } = await demo({ interruptAt: 'IN_PROGRESS' });
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
    expect(stdout).toContain('Settled: 1 cancelled, 0 finished, 0 abandoned.');
    expect(stdout).not.toContain('COMPLETED');
  });

  test('cancels every square that is rendered at Ctrl-C', async () => {
    const { code, stdout, stderr } = await demo({ interruptAt: 'of 48 squares' });
    expect({ code, stderr }).toEqual({ code: 130, stderr: '' });
    const [, cancelled = '0'] = /Settled: (\d+) cancelled, \d+ finished, 0 abandoned\./.exec(stdout) ?? [];
    expect(Number(cancelled)).toBeGreaterThan(1);
    expect(stdout).not.toContain('fractal.png');
  });
});

describe.concurrent('--input', () => {
  const KEY = 'a-key-that-must-not-show';

  /** Makes a handler, which may wait until the demo has read a job's status so many times. */
  type HandlerOf = (statusReads: (count: number) => Promise<void>) => EmulatedEndpoint['handler'];

  /** Runs the demo with a request, on an endpoint with a handler. */
  async function service(handlerOf: HandlerOf, text: string, interruptAt?: string) {
    const answered$ = new BehaviorSubject(0);
    const statusReads = async (count: number) => {
      await firstValueFrom(answered$.pipe(filter((answered) => answered >= count)));
    };
    const emulator = await startEmulator({
      endpoints: { mine: { handler: handlerOf(statusReads), aggregate: true } },
      keys: [KEY],
      intercept: (request, next) =>
        next(request).pipe(tap(() => request.url.includes('/status/') && answered$.next(answered$.value + 1))),
    });
    const env = { RUNPOD_BASE_URL: emulator.baseUrl, RUNPOD_API_KEY: KEY, ENDPOINT_ID: 'mine' };
    try {
      const ended = await withFile(text, (path) =>
        demo({ args: ['--input', path], env, ...(interruptAt !== undefined && { interruptAt }) }),
      );
      expect(ended.stdout + ended.stderr).not.toContain(KEY);
      return { ...ended, jobs: emulator.jobs() };
    } finally {
      await emulator.close();
    }
  }

  test('runs a request of the user’s and shows its states, chunks, output and health', async () => {
    const { code, stdout, stderr, jobs } = await service(
      (statusReads) =>
        async function* ({ input }) {
          await statusReads(2);
          for (const word of String(input.text).split(' ')) yield `<${word}>`;
        },
      '{"input": {"text": "one two three"}, "policy": {"ttl": 60000}}',
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/IN_QUEUE +job .*-u1\n[^]*IN_PROGRESS[^]*<one><two><three>/);
    expect(stdout).toMatch(/COMPLETED[^]*output {2}\["<one>","<two>","<three>"\]\n/);
    expect(stdout).toMatch(/Health\n {2}mine +1 completed, 0 failed/);
    expect(jobs).toMatchObject([{ input: { text: 'one two three' }, policy: { ttl: 60_000 } }]);
  });

  test('takes an object without "input" as the input, and shows progress', async () => {
    const { code, stdout, jobs } = await service(
      (statusReads) =>
        async ({ input }, { progress }) => {
          progress({ percent: 50 });
          await statusReads(2);
          return input;
        },
      '{"prompt": "hello"}',
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/progress {2}\{"percent":50\}[^]*output {2}\{"prompt":"hello"\}/);
    expect(jobs).toMatchObject([{ input: { prompt: 'hello' } }]);
  });

  test('says why a job failed, and ends with 1', async () => {
    const { code, stdout } = await service(() => () => ({ error: 'CUDA out of memory' }), '{"prompt": "hello"}');
    expect(code).toBe(1);
    expect(stdout).toMatch(/FAILED[^]*CUDA out of memory \(job_failed\)/);
  });

  test('cancels the job on the server at Ctrl-C', async () => {
    const { code, stdout, jobs } = await service(
      () =>
        (_, { delay }) =>
          delay(600_000),
      '{"prompt": "hello"}',
      'IN_PROGRESS',
    );
    expect(code).toBe(130);
    expect(stdout).toContain('Settled: 1 cancelled, 0 finished, 0 abandoned.');
    expect(jobs).toMatchObject([{ status: 'CANCELLED', cancelRequests: 1, runs: [{ outcome: 'cancelled' }] }]);
  });
});

describe.concurrent('the command line', () => {
  const both = { RUNPOD_API_KEY: 'k', ENDPOINT_ID: 'e' };

  test('--help says how to use it', async () => {
    const { code, stdout } = await demo({ args: ['--help'] });
    expect(code).toBe(0);
    expect(stdout).toMatch(/--input[^]*RUNPOD_API_KEY[^]*ENDPOINT_ID[^]*RUNPOD_BASE_URL[^]*NO_COLOR/);
  });

  interface Case {
    readonly name: string;
    readonly args?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly file?: string;
    readonly says: string;
  }

  test.each<Case>([
    { name: 'an unknown option', args: ['--wat'], says: `Unknown option '--wat'` },
    { name: 'an argument too many', args: ['wat'], says: `Unexpected argument 'wat'` },
    { name: 'a missing value', args: ['--input'], says: `argument missing` },
    {
      name: 'a key without an endpoint',
      args: ['--input', 'x.json'],
      env: { RUNPOD_API_KEY: 'k' },
      says: 'ENDPOINT_ID is not set',
    },
    {
      name: 'an endpoint without a key',
      args: ['--input', 'x.json'],
      env: { ENDPOINT_ID: 'e' },
      says: 'RUNPOD_API_KEY is not set',
    },
    { name: 'a missing file', args: ['--input', '/no/such.json'], env: both, says: 'there is no file /no/such.json' },
    { name: 'a folder', args: ['--input', '/'], env: both, says: '/ cannot be read' },
    {
      name: 'a base URL that cannot work',
      file: '{"a":1}',
      env: { ...both, RUNPOD_BASE_URL: 'ftp://here' },
      says: 'the base URL must be',
    },
    { name: 'a file that is not JSON', file: '{ "input": ', env: both, says: 'input.json is not JSON' },
    { name: 'JSON that is no object', file: '[1]', env: both, says: 'must hold a JSON object' },
    { name: 'an input that is no object', file: '{"input": 1}', env: both, says: 'must be an object' },
  ])('$name is a clear message and ends with 2', async ({ args = [], env = {}, file, says }) => {
    const { code, stdout, stderr } = await (file === undefined
      ? demo({ args, env })
      : withFile(file, (path) => demo({ args: ['--input', path], env })));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(says);
    expect(stderr).toContain('--help');
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

/** The rows of a PNG file of one byte for each pixel. */
function pixelsOf(file: Buffer) {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < file.length;) {
    const length = file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    expect(file.readUInt32BE(at + 8 + length)).toBe(crc32(file.subarray(at + 4, at + 8 + length)));
    chunks.set(type, file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const header = chunks.get('IHDR')!;
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const data = inflateSync(chunks.get('IDAT')!);
  const rows = Array.from({ length: height }, (_, row) =>
    data.subarray(row * (width + 1) + 1, (row + 1) * (width + 1)),
  );
  return { width, height, rows };
}

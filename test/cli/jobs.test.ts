import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Command, folder } from './command.js';
import { service } from './service.js';

const prompt = JSON.stringify({ prompt: 'a fox' });

describe('run', () => {
  test('writes the output, and says on the other output how it went', async () => {
    const { run } = await service();
    const command = run(['run', 'fine', prompt]);
    expect(await command.ended).toBe(0);
    expect(JSON.parse(command.output)).toEqual({ text: 'about a fox' });
    expect(command.errors).toMatch(/^job \S+\n[^]*completed {2}queued for .*, ran for .*\n$/);
  });

  test('writes the service’s answer for programs, and says nothing else', async () => {
    const { run, emulator } = await service();
    const command = run(['run', 'fine', prompt, '--json']);
    expect(await command.ended).toBe(0);
    const [job] = emulator.jobs();
    expect(JSON.parse(command.output)).toMatchObject({
      id: job?.id,
      status: 'COMPLETED',
      output: { text: 'about a fox' },
    });
    expect(command.output.trim()).not.toContain('\n');
    expect(command.errors).toBe('');
  });

  test('takes the input from a file, or from the standard input', async () => {
    const { run } = await service();
    const file = join(folder(), 'input.json');
    writeFileSync(file, `\uFEFF${prompt}`);
    for (const command of [run(['run', 'fine', '-i', file]), run(['run', 'fine', '-i', '-'], { input: prompt })]) {
      expect(await command.ended).toBe(0);
      expect(JSON.parse(command.output)).toEqual({ text: 'about a fox' });
    }
  });

  test('writes chunks as they come: texts one after the other, or a line of JSON each', async () => {
    const { run } = await service();
    const plain = run(['run', 'words', prompt, '--stream']);
    expect(await plain.ended).toBe(0);
    expect(plain.output).toBe('a fox \n');
    const json = run(['run', 'words', prompt, '--stream', '--json']);
    expect(await json.ended).toBe(0);
    expect(json.output).toBe('"a "\n"fox "\n');
  });

  test('of a job that fails says why, and ends with 1', async () => {
    const { run } = await service();
    const command = run(['run', 'broken', prompt]);
    expect(await command.ended).toBe(1);
    expect(command.output).toBe('');
    expect(command.errors).toMatch(/error: job \S+ failed: out of memory\n$/);
    const json = run(['run', 'broken', prompt, '--json']);
    expect(await json.ended).toBe(1);
    expect(JSON.parse(json.output)).toMatchObject({ status: 'FAILED' });
    expect(JSON.parse(json.errors)).toMatchObject({ error: { code: 'job_failed' } });
  });

  test('with a timeout cancels the job', async () => {
    const { run, emulator } = await service();
    const command = run(['run', 'never', prompt, '--timeout', '5s']);
    expect(await command.ended).toBe(1);
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED', policy: { executionTimeout: 5_000 } }]);
  });

  test('detached ends with the id, which the other commands take', async () => {
    const { run, emulator } = await service();
    const detached = run(['run', 'never', prompt, '--detach']);
    expect(await detached.ended).toBe(0);
    const id = detached.output.trim();
    expect(emulator.jobs()).toMatchObject([{ id, cancelRequests: 0 }]);
    expect(detached.errors).toContain(`runpod-rx watch never ${id}`);

    const watched = run(['watch', 'never', id]);
    await expect.poll(() => watched.errors).toContain('running');
    const cancelled = run(['cancel', 'never', id]);
    expect(await cancelled.ended).toBe(0);
    expect(cancelled.errors).toBe(`${id}  CANCELLED\n`);
    expect(await watched.ended).toBe(1);
    expect(watched.errors).toContain('cancelled');

    const again = run(['cancel', 'never', id]);
    expect(await again.ended).toBe(0);
  });
});

test('cancel goes on after a job that is not there', async () => {
  const { run, emulator } = await service();
  const submitted = run(['run', 'never', prompt, '--detach']);
  await submitted.ended;
  const command = run(['cancel', 'never', 'nothing', submitted.output.trim()]);
  expect(await command.ended).toBe(3);
  expect(command.errors).toMatch(/^error: .*nothing[^]*CANCELLED\n$/);
  expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
});

test('stream reads the chunks of a job that runs', async () => {
  const { run } = await service();
  const submitted = run(['run', 'words', prompt, '--detach']);
  await submitted.ended;
  const command = run(['stream', 'words', submitted.output.trim()]);
  expect(await command.ended).toBe(0);
  expect(command.output).toBe('a fox \n');
});

test('retry runs a failed job again, under its id', async () => {
  const { run, emulator } = await service();
  await run(['run', 'broken', prompt]).ended;
  const [failed] = emulator.jobs();
  const command = run(['retry', 'broken', String(failed?.id)]);
  expect(await command.ended).toBe(1);
  expect(emulator.jobs()).toMatchObject([{ id: failed?.id, retries: expect.any(Number) as number }]);
  expect(emulator.jobs()[0]?.runs).toHaveLength(2);
});

describe('health', () => {
  test('shows the counts once', async () => {
    const { run } = await service();
    await run(['run', 'fine', prompt]).ended;
    const command = run(['health', 'fine']);
    expect(await command.ended).toBe(0);
    expect(command.output).toMatch(/^jobs {5}0 queued · 0 running · 1 completed · 0 failed.*\nworkers {2}.*\n$/);
    const json = run(['health', 'fine', '--json']);
    expect(await json.ended).toBe(0);
    expect(JSON.parse(json.output)).toMatchObject({ jobs: { completed: 1 } });
  });

  test('watched writes what changes, and ends well at Ctrl-C', async () => {
    const { run } = await service();
    const command = run(['health', 'fine', '--watch']);
    await expect.poll(() => command.output).toContain('0 completed');
    await run(['run', 'fine', prompt]).ended;
    await expect.poll(() => command.output).toContain('1 completed');
    expect(await command.signal('SIGINT')).toBe(0);
    expect(command.output.match(/0 completed/g)).toHaveLength(1);
  });
});

describe('purge', () => {
  test('asks before, and does nothing where nobody can be asked', async () => {
    const { run, asked } = await service();
    const command = run(['purge', 'never']);
    expect(await command.ended).toBe(2);
    expect(command.errors).toContain('--yes purges without a question');
    expect(asked('purge-queue')).toBe(0);
  });

  test('removes the queued jobs', async () => {
    const { run } = await service({
      endpoints: { busy: { handler: (_job, { delay }) => delay(3_600_000), workers: 1 } },
    });
    for (let nth = 0; nth < 3; nth++) await run(['run', 'busy', prompt, '--detach']).ended;
    const command = run(['purge', 'busy', '--yes']);
    expect(await command.ended).toBe(0);
    expect(command.output).toBe('2 queued jobs removed\n');
  });
});

describe('doctor', () => {
  test('finds what is well', async () => {
    const { run } = await service();
    const command = run(['doctor', 'fine']);
    expect(await command.ended).toBe(0);
    expect(command.output.match(/^✓ .*$/gm)).toHaveLength(5);
    expect(command.output).toMatch(/round trip {2}\d.* \(median of 5\)/);
  });

  test.each([
    ['an endpoint that is not there', ['doctor', 'other'], {}, '✗ endpoint    there is no endpoint other'],
    ['a wrong key', ['doctor', 'fine'], { RUNPOD_API_KEY: 'another' }, '✗ key         the service does not accept'],
    [
      'no network',
      ['doctor', 'fine', '--base-url', 'http://127.0.0.1:1/v2'],
      {},
      '✗ network     the service cannot be',
    ],
  ])('finds %s', async (_, args, env, said) => {
    const { run } = await service({ keys: ['test-key-placeholder'] });
    const command = run(args, { env: { RUNPOD_API_KEY: 'test-key-placeholder', ...env } });
    expect(await command.ended).toBe(1);
    expect(command.output).toContain(said);
  });
});

describe('what goes wrong is a sentence, and has a code', () => {
  test.each([
    ['a wrong key', ['run', 'fine', prompt], { RUNPOD_API_KEY: 'another' }, 3, 'does not accept the key'],
    ['no endpoint', ['run', 'other', prompt], {}, 3, 'there is no endpoint other'],
    ['no job', ['watch', 'fine', 'nothing'], {}, 3, 'does not know the job nothing'],
    ['no job of an unusual id', ['cancel', 'fine', 'a:b.c'], {}, 3, 'does not know the job a:b.c'],
    ['no id of a job', ['cancel', 'fine', 'a/b'], {}, 2, 'It must consist of letters'],
    ['a deadline that nobody keeps', ['run', 'fine', prompt, '-d', '-t', '5m'], {}, 2, 'cannot be used with'],
    ['no network', ['run', 'fine', prompt, '--base-url', 'http://127.0.0.1:1/v2'], {}, 4, 'cannot be reached'],
    ['no input', ['run', 'fine'], {}, 2, 'give the input as JSON'],
    ['two inputs', ['run', 'fine', '{}', '-i', 'x.json'], {}, 2, 'give the input once'],
    ['no such file', ['run', 'fine', '-i', 'nothing.json'], {}, 2, 'nothing.json cannot be read: ENOENT'],
    ['no JSON', ['run', 'fine', '{"a'], {}, 2, 'the input is no JSON'],
    ['no object', ['run', 'fine', '[1]'], {}, 2, 'must be an object of JSON'],
    ['no file with a key', ['run', 'fine', prompt, '--key-file', 'nothing'], {}, 2, 'cannot be read: ENOENT'],
    ['a bad address', ['run', 'fine', prompt, '--base-url', 'nowhere'], {}, 2, 'the base URL must be'],
    ['no id of an endpoint', ['run', 'a/b', prompt], {}, 2, 'letters, digits, - and _ only'],
    ['an option that is not there', ['run', 'fine', prompt, '--strem'], {}, 2, 'Did you mean --stream?'],
    ['no endpoint named', ['run'], {}, 2, "missing required argument 'endpoint'"],
    ['a command that is not there', ['rnu'], {}, 2, 'Did you mean run?'],
  ])('%s', async (_, args, env, code, said) => {
    const { run } = await service({ keys: ['test-key-placeholder'] });
    const command = run(args, { env: { RUNPOD_API_KEY: 'test-key-placeholder', ...env } });
    expect(await command.ended).toBe(code);
    expect(command.errors).toContain(said);
    expect(command.errors).not.toMatch(/^\s+at /m);
    expect(command.output).toBe('');
  });

  test('no key', async () => {
    const command = new Command(['run', 'fine', prompt], {
      env: { RUNPOD_API_KEY: undefined, RUNPOD_BASE_URL: undefined },
    });
    expect(await command.ended).toBe(2);
    expect(command.errors).toMatch(
      /^error: there is no key: set RUNPOD_API_KEY, or name a file by --key-file\. To try/,
    );
  });

  test('an answer that is lost: the job is not sent again', async () => {
    const { run, asked } = await service({ faults: [{ fault: 'reset-after', on: ['run'] }] });
    const command = run(['run', 'fine', prompt]);
    expect(await command.ended).toBe(5);
    expect(command.errors.match(/may have been accepted/g)).toHaveLength(1);
    expect(command.errors).toContain('it was not submitted again');
    expect(asked('run')).toBe(1);
  });
});

describe('a signal in the middle', () => {
  test('Ctrl-C cancels the job', async () => {
    const { run, emulator } = await service();
    const command = run(['run', 'never', prompt]);
    await expect.poll(() => command.errors).toContain('running');
    expect(await command.signal('SIGINT')).toBe(130);
    const [job] = emulator.jobs();
    expect(job).toMatchObject({ status: 'CANCELLED', cancelRequests: 1 });
    expect(command.errors).toContain(`cancelled: ${String(job?.id)}`);
  });

  test('SIGTERM lets it go on, and says how to follow it', async () => {
    const { run, emulator } = await service();
    const command = run(['run', 'never', prompt]);
    await expect.poll(() => command.errors).toContain('running');
    expect(await command.signal('SIGTERM')).toBe(143);
    const [job] = emulator.jobs();
    expect(job).toMatchObject({ status: 'IN_PROGRESS', cancelRequests: 0 });
    expect(command.errors).toContain(`runpod-rx watch never ${String(job?.id)}`);
  });

  test('SIGTERM does not wait for an answer for long, and says what may run', async () => {
    const { run, asked } = await service({ faults: [{ fault: 'no-answer', on: ['run'] }] });
    const command = run(['run', 'never', prompt]);
    await expect.poll(() => asked('run')).toBe(1);
    expect(await command.signal('SIGTERM')).toBe(143);
    expect(command.errors).toContain('what was sent without an answer may run');
  });

  test('ends a wait for a service that cannot be reached, of which is said why', async () => {
    const { run } = await service();
    const command = run(['watch', 'fine', 'a-job', '--base-url', 'http://127.0.0.1:1/v2']);
    await expect.poll(() => command.errors).toContain('waiting for the service: ');
    expect(await command.signal('SIGINT')).toBe(130);
    expect(command.errors.match(/waiting for the service/g)).toHaveLength(1);
  });

  test('leaves a job alone that is only watched', async () => {
    const { run, emulator } = await service();
    const submitted = run(['run', 'never', prompt, '--detach']);
    await submitted.ended;
    const command = run(['watch', 'never', submitted.output.trim()]);
    await expect.poll(() => command.errors).toContain('running');
    expect(await command.signal('SIGINT')).toBe(130);
    expect(emulator.jobs()).toMatchObject([{ status: 'IN_PROGRESS', cancelRequests: 0 }]);
  });

  test('a second Ctrl-C does not wait for the cancel', async () => {
    const { run, asked } = await service({ faults: [{ fault: 'no-answer', on: ['cancel'] }] });
    const command = run(['run', 'never', prompt]);
    await expect.poll(() => command.errors).toContain('running');
    void command.signal('SIGINT');
    await expect.poll(() => asked('cancel')).toBeGreaterThan(0);
    // The first ones may come within the time of one key.
    await expect.poll(() => command.kill('SIGINT')).toBe(false);
    expect(await command.ended).toBe(130);
    expect(command.errors).toContain('ended at once');
  });

  describe('while a submission has no answer', () => {
    const commands = [
      ['run', ['run', 'never', prompt]],
      ['run', ['run', 'never', prompt, '--detach']],
      ['retry', ['retry', 'never', 'a-job']],
    ] as const;

    test.each([...commands, ['run', ['run', 'never', prompt, '--json']]] as const)(
      'Ctrl-C says what is waited for, and a second one that a job may be running (%s %j)',
      async (operation, args) => {
        const { run, asked } = await service({ faults: [{ fault: 'no-answer', on: [operation] }] });
        const command = run(args);
        await expect.poll(() => asked(operation)).toBe(1);
        void command.signal('SIGINT');
        await expect.poll(() => command.errors).toContain('a job was sent: waiting for the answer');
        expect(command.errors).toContain('Ctrl-C again ends at once');
        // The first ones may come within the time of one key.
        await expect.poll(() => command.kill('SIGINT')).toBe(false);
        expect(await command.ended).toBe(130);
        expect(command.errors).toContain('ended at once: a job was sent, and may be running');
        const lines = command.errors.trim().split('\n');
        if (args.some((arg) => arg === '--json'))
          expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
            { error: { code: 'aborted' } },
            { error: { code: 'submission_unknown' } },
          ]);
      },
    );

    test.each([['run', 'never', prompt, '--detach'], ['run', 'never', prompt, '--json'], ['retry']])(
      'SIGTERM waits for it, lets the job go on, and names it (%s %s %s %s)',
      async (...args) => {
        let failing = true;
        const { run, asked, emulator } = await service({
          latency: 500,
          endpoints: {
            never: (_job, { delay }) => {
              if (failing) throw new Error('out of memory');
              return delay(3_600_000);
            },
          },
        });
        const operation = args[0];
        if (operation === 'retry') {
          const failed = run(['run', 'never', prompt]);
          expect(await failed.ended).toBe(1);
          args.push('never', emulator.jobs()[0]!.id);
        }
        failing = false;
        const before = asked(operation);
        const command = run(args);
        await expect.poll(() => asked(operation), { timeout: 5_000 }).toBe(before + 1);
        expect(await command.signal('SIGTERM')).toBe(143);
        const [job] = emulator.jobs();
        expect(job).toMatchObject({ status: 'IN_PROGRESS', cancelRequests: 0 });
        expect(command.output + command.errors).toContain(`runpod-rx watch never ${job!.id}`);
      },
    );
  });

  test.each([[], ['--json'], ['--stream']])(
    'a job that cannot be read any more goes on, and is named (%s)',
    async (...more) => {
      const refusal = {
        fault: 'answer',
        on: ['status', 'status-sync', 'stream'],
        status: 401,
        body: { error: 'no' },
      } as const;
      const { run, emulator } = await service({ faults: [refusal] });
      const command = run(['run', 'never', prompt, ...more]);
      expect(await command.ended).toBe(3);
      const [job] = emulator.jobs();
      expect(job).toMatchObject({ status: 'IN_PROGRESS', cancelRequests: 0 });
      expect(command.errors).toContain(`the job goes on; follow it: runpod-rx watch never ${job!.id}`);
    },
  );

  test('a job that could not be cancelled is named, to programs, too', async () => {
    const { run, emulator } = await service({
      faults: [{ fault: 'answer', on: ['cancel'], status: 403, body: { error: 'no' } }],
    });
    const command = run(['run', 'never', prompt, '--json']);
    await expect.poll(() => emulator.jobs()[0]?.status).toBe('IN_PROGRESS');
    // The answer must have come, or the job is cancelled by its id later.
    expect(await command.signal('SIGINT')).toBe(130);
    expect(command.errors).toContain(`may run on: ${emulator.jobs()[0]!.id}`);
  });

  test('a reader of the output that goes cancels the job', async () => {
    const { run, emulator } = await service({
      endpoints: {
        endless: {
          handler: async function* (_job, { signal }) {
            for (let n = 0; !signal.aborted; n++) {
              await new Promise((resolve) => setTimeout(resolve, 20));
              yield `${n}\n`;
            }
          },
        },
      },
    });
    const command = run(['run', 'endless', prompt, '--stream']);
    await expect.poll(() => command.output).toContain('1\n');
    command.closeOutput();
    expect(await command.ended).toBe(141);
    expect(emulator.jobs()).toMatchObject([{ status: 'CANCELLED' }]);
  });
});

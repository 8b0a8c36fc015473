import { afterAll, describe, expect, test } from 'vitest';
import { check, cleanUp, documents, run, snippetsIn, type Snippet } from './snippets.js';

const snippets = documents().flatMap((file) => snippetsIn(file));

afterAll(cleanUp);

test('every TypeScript block of the documentation compiles', () => {
  expect(check(snippets)).toEqual([]);
});

test.concurrent.each(snippets.filter(({ run }) => run).map((snippet) => ({ ...snippet, title: titleOf(snippet) })))(
  '$title runs',
  async (snippet) => {
    await run(snippet);
  },
);

function titleOf({ file, line }: Snippet): string {
  return `${file}:${line}`;
}

describe('these checks', () => {
  const page = (...lines: readonly string[]) => snippetsIn('PAGE.md', lines.join('\n'));
  const typescript = (...lines: readonly string[]) => page('# Page', '', '```ts', ...lines, '```');

  test('find blocks of TypeScript only, and know their lines', () => {
    const found = page(
      '```sh',
      'npm i',
      '```',
      '',
      '- item',
      '  ```ts',
      '  let a = 1;',
      '    a++;',
      '  ```',
      '```',
      '```',
    );
    expect(found).toEqual([{ file: 'PAGE.md', line: 7, code: `${'\n'.repeat(6)}let a = 1;\n  a++;`, run: true }]);
  });

  test('want a reason for a block that is not run', () => {
    expect(page('<!-- no-run: it needs a GPU -->', '', '```ts no-run', '```')).toMatchObject([{ run: false }]);
    expect(() => page('Text.', '```ts no-run', '```')).toThrow('PAGE.md:2 does not say why');
    expect(() => page('```ts norun', '```')).toThrow("'norun' is not known");
    expect(() => page('```ts')).toThrow('never closed');
  });

  test('report what does not compile, with file and line', () => {
    const wrong = typescript(`import { runpod } from 'runpod-rx';`, '', 'runpod({ apiKey: 1 });', 'missing();');
    expect(check(wrong)).toEqual([
      expect.stringContaining(`PAGE.md:6: Type 'number' is not assignable`),
      expect.stringContaining(`PAGE.md:7: Cannot find name 'missing'`),
    ]);
  });

  test('report what throws, with file and line', async () => {
    const [failing] = typescript('await Promise.resolve();', `throw new Error('it broke');`);
    await expect(run(failing!)).rejects.toThrow(/PAGE\.md:4 fails\n[^]*PAGE\.md:5[^]*it broke/);
  });

  test('report an error that the code handles by printing it', async () => {
    const [failing] = typescript(
      `import { runpod } from 'runpod-rx';`,
      `runpod().endpoint('missing').run({ input: { prompt: 'hello' } }).subscribe({ error: console.error });`,
    );
    await expect(run(failing!)).rejects.toThrow(/PAGE\.md:4 fails\n[^]*missing/);
  });

  test('report what does not end', async () => {
    const [endless] = typescript(`import { interval } from 'rxjs';`, 'interval(100).subscribe();');
    await expect(run(endless!, 1000)).rejects.toThrow('PAGE.md:4 has not ended');
  });

  test('give each block a RunPod to talk to', async () => {
    const [asking] = typescript(
      `import { firstValueFrom } from 'rxjs';`,
      `import { runpod } from 'runpod-rx';`,
      `import { jobOutput } from 'runpod-rx/operators';`,
      `const endpoint = runpod().endpoint<{ prompt: string }, { text: string }>();`,
      `const output = await firstValueFrom(endpoint.runSync({ input: { prompt: 'hello' } }).pipe(jobOutput()));`,
      `console.log(output.text);`,
    );
    expect(check([asking!])).toEqual([]);
    expect(await run(asking!)).toBe('HELLO\n');
  });
});

import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { build, folder, submit } from './command.js';

/** `script` of util-linux makes the pseudo-terminal; `script` of macOS and the BSDs takes other arguments. */
const script = spawnSync('script', ['--version'], { encoding: 'utf8' });
const hasScript = script.status === 0 && script.stdout.includes('util-linux');

/** Runs the command in a terminal of its own, and prints the terminal's settings before and after. */
function inTerminal(args: string, size: string) {
  const command = `trap : INT; stty ${size}; stty -g; '${process.execPath}' '${build()}' ${args}; echo "code $?"; stty -g`;
  const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const terminal = {
    said: '',
    ended: new Promise<void>((resolve) => child.once('close', () => resolve())),
    /** Sends the character of Ctrl-C, which the terminal turns into a signal. */
    ctrlC: () => child.stdin.write('\u0003'),
    baseUrl: async () => {
      await expect.poll(() => terminal.said).toMatch(/base URL[^]*PING_INTERVAL/);
      return /http:\/\/127\.0\.0\.1:\d+\/v2/.exec(terminal.said)?.[0] ?? '';
    },
  };
  child.stdout.setEncoding('utf8').on('data', (data: string) => (terminal.said += data));
  onTestFinished(async () => {
    child.stdin.destroy();
    child.kill('SIGKILL');
    await terminal.ended;
  });
  return terminal;
}

describe.runIf(hasScript)('in a terminal', () => {
  test.each(['rows 24 cols 100', 'rows 0 cols 0'])(
    'of %s it shows the status lines, and ends on Ctrl-C',
    async (size) => {
      const file = join(folder(), 'handlers.mjs');
      writeFileSync(
        file,
        `setInterval(() => {}, 1000);
      export default { never: () => new Promise(() => {}), fine: ({ input }) => input };`,
      );
      const terminal = inTerminal(`emulate ${file} --port 0`, size);
      const baseUrl = await terminal.baseUrl();
      await submit(baseUrl, 'fine', { input: { x: 1 } });
      void submit(baseUrl, 'never', { input: { x: 1 } }).catch(() => undefined);
      await expect.poll(() => terminal.said).toMatch(/fine.* 1 completed/);
      await expect.poll(() => terminal.said).toMatch(/never.* 1 running/);

      terminal.ctrlC();
      await terminal.ended;
      expect(terminal.said).toMatch(/Stopped\.\r\ncode 0\r\n/);
      await expect(fetch(`${baseUrl}/fine/health`)).rejects.toThrow();
      expect(terminal.said).not.toContain('Error');
      // The terminal's settings are unchanged, and its cursor is visible.
      // Settings have at least ten parts between colons; a time of day at the start of a line has three.
      const settings = terminal.said.match(/^[0-9a-f]+(:[0-9a-f]+){9,}/gm);
      expect(settings).toHaveLength(2);
      expect(settings?.[1]).toBe(settings?.[0]);
      expect(terminal.said.lastIndexOf('\u001b[?25l')).toBeLessThanOrEqual(terminal.said.lastIndexOf('\u001b[?25h'));
      expect(terminal.said.lastIndexOf('\u001b[?1049h')).toBeLessThanOrEqual(
        terminal.said.lastIndexOf('\u001b[?1049l'),
      );
    },
  );

  test('Ctrl-C ends a handler that blocks, and the command', async () => {
    const file = join(folder(), 'handlers.mjs');
    writeFileSync(file, `export default () => { console.log('going round'); for (;;); };`);
    const terminal = inTerminal(`emulate ${file} --port 0`, 'rows 24 cols 100');
    const baseUrl = await terminal.baseUrl();
    void submit(baseUrl, 'demo', { input: { x: 1 } }).catch(() => undefined);
    await expect.poll(() => terminal.said).toContain('going round');
    terminal.ctrlC();
    await terminal.ended;
    expect(terminal.said).toMatch(/Stopped\.\r\ncode 0\r\n/);
    // Ctrl-C ended the handler, not the bound on its time.
    expect(terminal.said).not.toContain('did not give way');
  });
});

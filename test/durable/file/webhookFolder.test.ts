import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { webhookFolder } from 'runpod-rx/durable';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'runpod-rx-webhooks-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

test('webhookFolder has what another process has added, the first of a name', async () => {
  const path = join(folder(), 'made');
  const [one, other] = [webhookFolder(path), webhookFolder(path)];
  expect(await one.get('a')).toBeUndefined();
  expect(await one.add('a', '1', 1)).toBeUndefined();
  expect(await other.add('a', '2', 1)).toBe('1');
  expect(await other.get('a')).toBe('1');
  await other.set('a', '3', 1);
  expect(await one.get('a')).toBe('3');
});

test('S40 webhookFolder takes a file that cannot be read for an error, and not for no webhook', async () => {
  const path = join(folder(), 'file');
  writeFileSync(path, '');
  await expect(webhookFolder(path).get('a')).rejects.toMatchObject({ code: 'ENOTDIR' });
});

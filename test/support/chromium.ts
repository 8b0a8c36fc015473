import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type BrowserContext } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { launchOptions } from '../../scripts/lib/chromium.mjs';

/** The Chromium of this machine; `undefined` where there is none. */
export { chromiumPath } from '../../scripts/lib/chromium.mjs';

/** A browser with a profile of its own, closed after the test. Its tabs share storage, locks and connections. */
export async function openBrowser(): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), 'runpod-rx-profile-'));
  const context = await chromium.launchPersistentContext(profile, launchOptions);
  onTestFinished(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  });
  return context;
}

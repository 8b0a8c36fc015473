import { chromium } from 'playwright-core';
import { chromiumPath, launchOptions } from '../lib/chromium.mjs';

/** A browser as people have it: Playwright switches the back/forward cache off. */
export function openBrowser() {
  if (!chromiumPath) throw new Error('there is no Chromium: apt-get install chromium, or set CHROMIUM');
  return chromium.launch({ ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] });
}

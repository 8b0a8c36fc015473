import type { LaunchOptions } from 'playwright-core';

/** The Chromium of this machine; `undefined` where there is none. */
export const chromiumPath: string | undefined;

/** How Playwright starts it: it asks nothing of the network by itself, and runs as root, too. */
export const launchOptions: LaunchOptions;

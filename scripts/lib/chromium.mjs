import { existsSync } from 'node:fs';

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The Chromium of this machine; `undefined` where there is none. */
export const chromiumPath = places.find((path) => path !== undefined && existsSync(path));

/** How Playwright starts it: it asks nothing of the network by itself, and runs as root, too. */
export const launchOptions = {
  executablePath: chromiumPath ?? '',
  chromiumSandbox: false,
  headless: true,
  args: [
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

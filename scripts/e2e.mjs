/**
 * Builds an Angular application with the packed library, and judges it in Chromium, on the ledger of an emulator behind the
 * proxy. It installs Angular, and asserts seconds of real time: `npm test` does neither.
 *
 *   npm run e2e                    the newest Angular, everything
 *   npm run e2e -- 20 21           these versions: builds, and a job is cancelled when it is left
 *   npm run e2e -- --only=leaving  one part: leaving, hiding, rendering, views, bundles
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap } from './bootstrap.mjs';

bootstrap();
const { ensureBuilt } = await import('./lib/build.mjs');
ensureBuilt();
const { Application } = await import('./e2e/Application.mjs');
const { Site } = await import('./e2e/Site.mjs');
const { Report } = await import('./e2e/Report.mjs');
const { openBrowser } = await import('./e2e/openBrowser.mjs');
const { newest } = await import('./e2e/versions.mjs');
const { bundles } = await import('./e2e/bundles.mjs');
const { wrongTemplates } = await import('./e2e/wrongTemplates.mjs');
const { leaving, pageHide, rendering, views } = await import('./e2e/pages.mjs');

const args = process.argv.slice(2);
const only = args.flatMap((arg) => (arg.startsWith('--only=') ? arg.slice(7).split(',') : []));
const wanted = (part) => only.length === 0 || only.includes(part);
const given = args.filter((arg) => /^\d+$/.test(arg));
const report = new Report();

const ZONE = `import { provideZoneChangeDetection } from '@angular/core';
import 'zone.js';

export const provideChangeDetection = () => provideZoneChangeDetection();
`;
const BARE = `import type { EnvironmentProviders } from '@angular/core';

export const runpodProviders: EnvironmentProviders[] = [];
`;

for (const version of given.length > 0 ? given : [newest]) await judge(version, version === newest);
report.end();

async function judge(version, whole) {
  const site = new Site();
  const application = new Application(version);
  let browser;
  const label = `Angular ${version}`;
  try {
    await site.start();
    site.reset();
    let isInstalled = false;
    await report.check(`${label}: installs, and builds with strict templates`, async () => {
      application.install();
      isInstalled = true;
      await application.build('zoneless', { E2E_BASE_URL: `${site.origin}/api/runpod` });
    });
    if (!isInstalled || report.failed > 0) return;
    await report.check(`${label}: strict templates refuse what a state does not have`, async () => {
      const refusals = await application.compile(wrongTemplates);
      wrongTemplates.forEach(({ template, refused }, index) => assert.match(refusals[index] ?? '', refused, template));
    });
    await report.check(`${label}: prerendering submits nothing`, () => {
      const html = readFileSync(join(application.folder, 'builds/zoneless/browser/prerendered/index.html'), 'utf8');
      assert.match(html, />submitting</);
      assert.deepEqual(site.requests, []);
    });
    browser = await openBrowser();
    site.show(await application.serve('zoneless'));
    if (wanted('leaving')) await leaving(report, browser, site, `${label}, zoneless`);
    if (!whole) return;
    if (wanted('hiding')) await pageHide(report, browser, site, `${label}, zoneless`);
    if (wanted('rendering')) await rendering(report, browser, site, `${label}, zoneless`);
    if (wanted('views')) await views(report, browser, site, `${label}, zoneless`);
    if (wanted('bundles')) {
      // Without the configuration, the page that the build renders cannot be rendered.
      const routes = readFileSync(join(application.folder, 'src/app/routes.ts'), 'utf8');
      application.write(
        'src/app/routes.ts',
        routes.replace(/(path: 'prerendered'.*)pages'\)\)\.Run/, "$1home')).Home"),
      );
      application.write('src/app/runpodProviders.ts', BARE);
      await application.build('bare');
      await bundles(report, application, application.stats('bare'));
      application.restore();
    }
    application.write('src/app/changeDetection.ts', ZONE);
    await report.check(`${label}: builds with zone.js`, () =>
      application.build('zone', { E2E_BASE_URL: `${site.origin}/api/runpod` }),
    );
    site.show(await application.serve('zone'));
    if (wanted('leaving')) await leaving(report, browser, site, `${label}, zone.js`);
    if (wanted('hiding')) await pageHide(report, browser, site, `${label}, zone.js`);
    if (wanted('rendering')) await rendering(report, browser, site, `${label}, zone.js`);
    if (wanted('views')) await views(report, browser, site, `${label}, zone.js`);
  } catch (error) {
    await report.check(`${label}: the harness`, () => Promise.reject(error));
  } finally {
    await browser?.close();
    application.close();
    site.close();
  }
}

/** What is judged in the browser, on the ledger of the emulator. */
import assert from 'node:assert/strict';
import { until } from './Report.mjs';

const text = (page, id) => page.locator(`#${id}`).textContent();

/** Opens a page in a context of its own. */
async function open(browser, site, path) {
  site.reset();
  const context = await browser.newContext();
  const page = await context.newPage();
  const problems = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || /NG0?5\d\d/.test(message.text())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  await page.goto(site.origin + path);
  return { page, problems, close: () => context.close() };
}

/** Waits until the page is hydrated, with the component of its route: the server's HTML has no behaviour. */
const hydrated = async (page) => {
  await page.waitForFunction(() => 'fixture' in globalThis);
  await page.evaluate(() => globalThis.fixture.whenStable());
};

/** The job runs, and the page knows its id. */
const running = (page, id = 'status') => until(async () => assert.equal(await text(page, id), 'running'));

const statuses = (site, ...expected) => until(() => assert.deepEqual(site.statuses(), expected));

/** Line 1: a job is cancelled when its request is another, and with the component. */
export async function leaving(report, browser, site, name) {
  await report.check(`${name}: typing twice cancels the first job`, async () => {
    const { page, close } = await open(browser, site, '/typing');
    await hydrated(page);
    await page.fill('#prompt', 'a');
    await until(() => assert.equal(site.jobs().length, 1));
    await page.fill('#prompt', 'ab');
    await until(async () => assert.equal(await text(page, 'value'), 'about ab'));
    await statuses(site, 'CANCELLED', 'COMPLETED');
    await close();
  });
  await report.check(`${name}: another route cancels the job`, async () => {
    const { page, close } = await open(browser, site, '/slow');
    await hydrated(page);
    await running(page);
    await page.click('#home');
    await statuses(site, 'CANCELLED');
    assert.equal(site.asked('cancel').length, 1);
    await close();
  });
  await report.check(`${name}: removing the component by @if cancels the job`, async () => {
    const { page, close } = await open(browser, site, '/typing');
    await hydrated(page);
    await page.click('#show');
    await running(page, 'removable');
    await page.click('#hide');
    await statuses(site, 'CANCELLED');
    await close();
  });
  await report.check(
    `${name}: ApplicationRef.destroy() cancels the job, with interceptors' headers and XSRF`,
    async () => {
      const { page, close } = await open(browser, site, '/slow');
      await hydrated(page);
      await running(page);
      await page.evaluate(() => globalThis.fixture.destroy());
      await statuses(site, 'CANCELLED');
      for (const operation of ['run', 'cancel']) {
        const [{ headers }] = site.asked(operation);
        assert.equal(headers['x-tenant'], 'acme', operation);
        assert.equal(headers['x-xsrf-token'], 'tttttttt', operation);
      }
      await close();
    },
  );
}

/** Line 5: the page goes away. */
export async function pageHide(report, browser, site, name) {
  const ways = {
    closing: (page) => page.close(),
    navigating: (page) => page.goto('about:blank'),
  };
  for (const [way, leave] of Object.entries(ways))
    await report.check(`${name}: ${way} the page cancels its job`, async () => {
      const { page, close } = await open(browser, site, '/slow');
      await hydrated(page);
      await running(page);
      // A page that may come back keeps its job: keep it out of the cache.
      await page.evaluate(() => addEventListener('unload', () => undefined));
      await leave(page);
      await statuses(site, 'CANCELLED');
      await close();
    });
  await report.check(`${name}: reloading the page cancels its job, and runs another`, async () => {
    const { page, close } = await open(browser, site, '/slow');
    await hydrated(page);
    await running(page);
    await page.reload();
    await hydrated(page);
    await statuses(site, 'CANCELLED', 'IN_PROGRESS');
    await close();
    // Its cancel is not to come during the next check.
    await statuses(site, 'CANCELLED', 'CANCELLED');
  });
  await report.check(`${name}: a page in the back/forward cache keeps its job, and goes on`, async () => {
    const { page, close } = await open(browser, site, '/story');
    await hydrated(page);
    await until(async () => assert.match(await text(page, 'chunks'), /word1/));
    await page.evaluate(() => addEventListener('pageshow', ({ persisted }) => (globalThis.cameBack = persisted)));
    await page.goto(`${site.origin}/`);
    // A page that is kept fires no `load`, which `goBack` would wait for by default.
    await page.goBack({ waitUntil: 'commit' });
    await until(async () => assert.equal(await page.evaluate(() => globalThis.cameBack), true));
    assert.equal(site.asked('cancel').length, 0);
    await until(async () => assert.equal(await text(page, 'status'), 'done'));
    assert.match(await text(page, 'chunks'), /word0 .*word39/);
    assert.deepEqual(site.statuses(), ['COMPLETED']);
    await close();
  });
}

/** Lines 2, 4 and 11: rendering on a server. */
export async function rendering(report, browser, site, name) {
  for (const path of ['/auto', '/raw'])
    await report.check(`${name}: ${path} renders within a second, without a job; the page runs one`, async () => {
      await fetch(site.origin + path).then((answer) => answer.text());
      site.reset();
      const start = performance.now();
      const answer = await fetch(site.origin + path);
      assert.ok(performance.now() - start < 1000, `the first byte took ${Math.round(performance.now() - start)} ms`);
      const html = await answer.text();
      assert.match(html, path === '/raw' ? />waiting</ : />submitting</);
      assert.deepEqual(site.requests, []);
      const { page, problems, close } = await open(browser, site, path);
      await until(async () => assert.match(await text(page, 'value'), /about/));
      assert.deepEqual(site.statuses(), ['COMPLETED']);
      assert.deepEqual(problems, []);
      await close();
    });
  await report.check(`${name}: with server: run there is one job in all, and its output is in the HTML`, async () => {
    const { page, problems, close } = await open(browser, site, '/run');
    const [, cacheControl] = await fetch(`${site.origin}/run`).then((answer) => [
      answer,
      answer.headers.get('cache-control'),
    ]);
    assert.equal(cacheControl, 'private, no-store');
    site.reset();
    const html = await page.goto(`${site.origin}/run`).then((answer) => answer.text());
    assert.match(html, />about run</);
    await hydrated(page);
    assert.equal(await text(page, 'value'), 'about run');
    await page.evaluate(() => globalThis.fixture.whenStable());
    assert.deepEqual(site.statuses(), ['COMPLETED']);
    assert.equal(site.asked('run').length, 1);
    assert.deepEqual(problems, []);
    await close();
  });
  await report.check(`${name}: a job that takes longer is attached to by the page, which owns it`, async () => {
    const start = performance.now();
    const { page, problems, close } = await open(browser, site, '/run-slow');
    assert.ok(performance.now() - start < 10_000);
    await hydrated(page);
    await running(page);
    assert.deepEqual(site.statuses(), ['IN_PROGRESS']);
    await page.click('#home');
    await statuses(site, 'CANCELLED');
    assert.equal(site.asked('run').length, 1);
    assert.equal(site.asked('cancel').length, 1);
    assert.deepEqual(problems, []);
    await close();
  });
  await report.check(
    `${name}: each poll reaches the wire after hydration, and the first render equals the HTML`,
    async () => {
      const { page, problems, close } = await open(browser, site, '/slow');
      await hydrated(page);
      await until(() => assert.ok(site.asked('status').length >= 3));
      await page.click('#home');
      await statuses(site, 'CANCELLED');
      assert.equal(site.asked('cancel').length, 1);
      // Angular says so where hydration found other nodes than it expected.
      assert.deepEqual(problems, []);
      await close();
    },
  );
}

/** Lines 6, 9 and 11: what a view shows. */
export async function views(report, browser, site, name) {
  await report.check(`${name}: the application is stable while a job runs`, async () => {
    const { page, close } = await open(browser, site, '/slow');
    await hydrated(page);
    await running(page);
    const isStable = await page.evaluate(() =>
      Promise.race([
        globalThis.fixture.whenStable().then(() => true),
        new Promise((resolve) => setTimeout(() => resolve(false), 2_000)),
      ]),
    );
    assert.equal(isStable, true);
    await close();
  });
  await report.check(`${name}: at most one change detection for each change that shows`, async () => {
    const { page, close } = await open(browser, site, '/typing');
    await hydrated(page);
    await page.evaluate(() => {
      globalThis.changes = 0;
      let last = document.querySelector('main').textContent;
      new MutationObserver(() => {
        const now = document.querySelector('main').textContent;
        if (now !== last) globalThis.changes++;
        last = now;
      }).observe(document.querySelector('main'), { subtree: true, childList: true, characterData: true });
    });
    await page.click('#show');
    await running(page, 'removable');
    const before = await page.evaluate(() => [globalThis.fixture.ticks(), globalThis.changes]);
    const polls = site.asked('status').length;
    await until(() => assert.ok(site.asked('status').length >= polls + 3));
    const after = await page.evaluate(() => [globalThis.fixture.ticks(), globalThis.changes]);
    assert.deepEqual([after[0] - before[0], after[1] - before[1]], [0, 0]);
    await close();
  });
  await report.check(`${name}: a cancel in the middle of a stream keeps the text`, async () => {
    const { page, close } = await open(browser, site, '/story');
    await hydrated(page);
    await until(async () => assert.match(await text(page, 'chunks'), /word3/));
    await page.click('#cancel');
    await until(async () => assert.equal(await text(page, 'status'), 'cancelled'));
    assert.match(await text(page, 'chunks'), /word0 word1 word2 word3/);
    assert.deepEqual(site.statuses(), ['CANCELLED']);
    await close();
  });
  await report.check(`${name}: an equal request neither pays nor cancels`, async () => {
    const { page, close } = await open(browser, site, '/equal');
    await hydrated(page);
    for (let times = 0; times < 3; times++) await page.click('#bump');
    await until(async () => assert.equal(await text(page, 'value'), 'about equal'));
    await page.click('#bump');
    await page.evaluate(() => globalThis.fixture.whenStable());
    assert.deepEqual(site.statuses(), ['COMPLETED']);
    assert.equal(site.asked('cancel').length, 0);
    await close();
  });
}

/** The dashboard in Chromium, bundled from its source. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { run as runAxe } from 'axe-core';
import type { Page } from 'playwright-core';
import { delay, interval, map, of, take } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startEmulator } from 'runpod-rx/emulator';
import type { EmulatorOptions, HandlerContext, HandlerJob, ListeningEmulator } from 'runpod-rx/emulator';
import { chromiumPath, openBrowser } from '../support/chromium.js';

/** These end a test that hangs, and nothing else. */
const PATIENCE = 100_000;

const HOSTILE = '<img src=x onerror="document.title=1"> \u001b[31mred';

/** Streams the words of its text, or does as the input says. */
const words = ({ input }: HandlerJob, { progress }: HandlerContext) => {
  if (input.fails) throw new RangeError(input.fails as string);
  if (input.waits) {
    progress({ done: 0.5 });
    return of('late').pipe(delay(3_600_000));
  }
  const parts = String(input.text).split('|');
  return interval(30).pipe(
    map((at) => parts[at]),
    take(parts.length),
  );
};

const other = ({ input }: HandlerJob) => {
  if (input.fails) throw new RangeError(input.fails as string);
  return 'done';
};

async function start(options: Partial<EmulatorOptions> = {}): Promise<ListeningEmulator> {
  const emulator = await startEmulator({
    endpoints: {
      words: { handler: words, stream: true, aggregate: true, workers: 3 },
      other: { handler: other, workers: 1 },
    },
    ...options,
  });
  onTestFinished(() => emulator.close());
  return emulator;
}

/** Opens the page; the test fails if the page has a problem, or asks anybody else. */
async function open({ url }: ListeningEmulator, prepare?: (page: Page) => Promise<void>): Promise<Page> {
  const page = await (await openBrowser()).newPage();
  page.setDefaultTimeout(PATIENCE);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith('data:') && new URL(request.url()).origin !== url) problems.push(request.url());
  });
  onTestFinished(() => expect(problems).toEqual([]));
  await prepare?.(page);
  await page.goto(url, { timeout: PATIENCE });
  await page.locator('.connection[data-state=live]').waitFor();
  return page;
}

const submit = async ({ baseUrl }: ListeningEmulator, input: object, endpoint = 'words', agent = 'shop-api/2.1') => {
  const answer = await fetch(`${baseUrl}/${endpoint}/run`, {
    method: 'POST',
    headers: { 'user-agent': agent },
    body: JSON.stringify({ input }),
  });
  return ((await answer.json()) as { id: string }).id;
};

const send = async (page: Page, input: object) => {
  await page.selectOption('#send [name=endpoint]', 'words');
  await page.fill('#send [name=input]', JSON.stringify(input));
  await page.click('#send [name=go]');
};

const row = (page: Page, id: string) => page.locator('#job-rows tr', { hasText: id });

const statuses = (emulator: ListeningEmulator) => emulator.jobs().map(({ status }) => status);

describe.skipIf(chromiumPath === undefined)('the page', () => {
  test('sends a job and streams it, without a poll, and without a trace in the ledger', async () => {
    const emulator = await start();
    const reads: string[] = [];
    const page = await open(emulator, async (opened) => {
      opened.on('request', (request) => reads.push(new URL(request.url()).pathname));
    });
    await page.locator('#no-jobs', { hasText: 'No jobs yet' }).waitFor();
    await send(page, { text: 'one |two |three' });
    await page.locator('#sent .text', { hasText: 'one two three' }).waitFor();
    await page.locator('#sent .tag', { hasText: 'completed' }).waitFor();
    expect(await page.locator('#sent').innerText()).toContain('3 chunks streamed');
    const [job] = emulator.jobs();
    await row(page, job!.id).locator('.tag', { hasText: 'completed' }).waitFor();
    expect(emulator.requests()).toEqual([]);
    // The emulator tells of the job by one connection; the page reads it at the start and once more.
    expect(reads.filter((path) => path.endsWith('/v2/events'))).toHaveLength(1);
    expect(reads.filter((path) => path.includes('/status/')).length).toBeLessThanOrEqual(3);
    expect(await page.locator('#request-rows tr').count()).toBe(0);
  });

  test('cancels the job that it sent, and one of somebody else', async () => {
    const emulator = await start();
    const page = await open(emulator);
    await send(page, { waits: true });
    await page.locator('#sent .tag', { hasText: 'in progress' }).waitFor();
    await page.click('#sent button:has-text("Cancel")');
    await page.locator('#sent .tag', { hasText: 'cancelled' }).waitFor();
    const other = await submit(emulator, { waits: true });
    await row(page, other).locator('a').click();
    await page.locator('#details .text', { hasText: '"done": 0.5' }).waitFor();
    await page.click('#details button:has-text("Cancel job")');
    await page.locator('#details .tag', { hasText: 'cancelled' }).waitFor();
    expect(statuses(emulator)).toEqual(['CANCELLED', 'CANCELLED']);
  });

  test('a job goes on when the next one is sent, or the page is closed', async () => {
    const emulator = await start();
    const page = await open(emulator);
    await send(page, { waits: true });
    await page.locator('#sent .tag', { hasText: 'in progress' }).waitFor();
    await send(page, { waits: true, again: true });
    await expect.poll(() => statuses(emulator)).toEqual(['IN_PROGRESS', 'IN_PROGRESS']);
    await page.close();
    await submit(emulator, { text: 'one|two' });
    await expect.poll(() => statuses(emulator)).toEqual(['IN_PROGRESS', 'IN_PROGRESS', 'COMPLETED']);
  });

  test('shows input, output, chunks, error and history of a job, and whatever it holds stays text', async () => {
    const emulator = await start();
    const id = await submit(emulator, { text: `${HOSTILE}|two`, seed: 1 });
    const failed = await submit(emulator, { fails: HOSTILE }, 'other');
    const page = await open(emulator);
    const panel = page.locator('#tab-panel');
    await row(page, id).locator('a').click();
    await panel.locator('dd', { hasText: 'completed' }).waitFor();
    for (const tab of ['Input', 'Output', 'Chunks']) {
      await page.click(`#tab-${tab}`);
      await panel.getByText('<img src=x onerror=').waitFor();
    }
    await page.click('#tab-History');
    await panel.getByText('Ended: completed').waitFor();
    expect(await panel.innerText()).toContain('Submitted to words by /run');
    expect(await panel.innerText()).toContain('POST /run → 200');
    await page.keyboard.press('Escape');
    await row(page, failed).locator('a').click();
    await page.click('#tab-Output');
    await panel.locator('.problem', { hasText: `RangeError: <img src=x` }).waitFor();
    await panel.locator('pre', { hasText: 'at Object.handler' }).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toBe('runpod-rx emulator');
  });

  test('says why a job failed: below the form, and first in its details', async () => {
    const emulator = await start();
    const page = await open(emulator);
    await send(page, { fails: 'CUDA out of memory' });
    await page.locator('#sent .problem', { hasText: 'CUDA out of memory' }).waitFor();
    await page.click('#sent a');
    await page.locator('#tab-panel', { hasText: 'RangeError: CUDA out of memory' }).waitFor();
  });

  test('sends a job again, changed, and retries one that failed', async () => {
    const emulator = await start();
    const failed = await submit(emulator, { fails: 'CUDA out of memory' });
    const page = await open(emulator);
    await row(page, failed).locator('a').click();
    await page.click('#details button:has-text("Retry")');
    await expect.poll(() => emulator.jobs()[0]!.renewals).toBe(1);
    await page.click('#details button:has-text("Edit and send again")');
    expect(await page.inputValue('#send [name=input]')).toBe('{\n  "fails": "CUDA out of memory"\n}');
    await page.fill('#send [name=input]', '{"text": ');
    expect(await page.locator('#input-problem').innerText()).toContain('Not JSON');
    expect(await page.locator('#send [name=go]').isDisabled()).toBe(true);
    await page.fill('#send [name=input]', '{"text":"fine"}');
    await page.keyboard.press('Control+Enter');
    await page.locator('#sent .tag', { hasText: 'completed' }).waitFor();
    expect(emulator.jobs().at(-1)).toMatchObject({ endpointId: 'words', input: { text: 'fine' }, status: 'COMPLETED' });
  });

  test('switches a fault on and off, with its members, and says what is wrong with them', async () => {
    const emulator = await start();
    const page = await open(emulator);
    const fault = page.locator('.fault', { has: page.locator('#fault-empty-429') });
    await fault.locator('summary').click();
    await fault.getByLabel('probability').fill('2');
    await fault.getByRole('switch').click();
    await page.locator('#fault-problem', { hasText: 'between 0 and 1' }).waitFor();
    await fault.getByLabel('probability').fill('');
    await fault.getByLabel('on', { exact: true }).fill('status, run');
    await fault.getByRole('switch').click();
    await fault.locator('[aria-checked=true]').waitFor();
    expect(emulator.faults.list().map(({ rule }) => rule)).toEqual([{ fault: 'empty-429', on: ['status', 'run'] }]);
    const answer = await fetch(`${emulator.baseUrl}/words/run`, {
      method: 'POST',
      headers: { 'user-agent': 'shop-api/2.1' },
      body: '{}',
    });
    expect(answer.status).toBe(429);
    await page.locator('#active-faults', { hasText: 'struck 1 of 1' }).waitFor();
    await page.locator('#request-rows tr', { hasText: '429' }).waitFor();
    expect(await page.locator('#client-rows tr').allInnerTexts()).toEqual(['shop-api/2.1\t1\t1\t0']);
    await fault.getByLabel('times').fill('3');
    await fault.getByRole('button', { name: 'Apply' }).click();
    await expect.poll(() => emulator.faults.list().map(({ rule }) => rule.times)).toEqual([3]);
    await fault.getByRole('switch').click();
    await fault.locator('[aria-checked=false]').waitFor();
    expect(emulator.faults.list()).toEqual([]);
  });

  test('has at most 300 rows with 10,000 jobs, and finds the others', async () => {
    const emulator = await start({ endpoints: { words: { workers: 0 } }, limits: false });
    const body = '{"input":{"x":1}}';
    for (let at = 0; at < 10_000; at++) {
      emulator.handle({ method: 'POST', url: '/v2/words/run', headers: {}, body }).subscribe();
    }
    const page = await open(emulator);
    await page.locator('#job-count', { hasText: '10,000 jobs, the latest 300 shown' }).waitFor();
    expect(await page.locator('#job-rows tr').count()).toBe(300);
    const [oldest] = emulator.jobs();
    await page.fill('#filter [name=search]', oldest!.id);
    await page.locator('#job-count', { hasText: '1 of 10,000 jobs' }).waitFor();
    expect(await page.locator('#job-rows tr').count()).toBe(1);
    await page.fill('#filter [name=search]', 'no such id');
    await page.locator('#no-jobs', { hasText: 'No job fits' }).waitFor();
    await page.fill('#filter [name=search]', '');
    await page.click('button:has-text("Purge queue")');
    await expect.poll(() => emulator.state().endpoints.words!.jobs.inQueue).toBe(0);
    await page.locator('#job-rows .tag', { hasText: 'cancelled' }).first().waitFor();
    expect(await page.locator('#job-rows tr').count()).toBe(300);
  });

  test('opens a job by a click anywhere in its row', async () => {
    const emulator = await start();
    const id = await submit(emulator, { text: 'one' });
    const page = await open(emulator);
    await row(page, id).click(); // in its middle, where the link is not
    await page.locator('#details-title', { hasText: id }).waitFor();
  });

  test('is used by the keyboard', async () => {
    const emulator = await start();
    const ids: string[] = [];
    for (const text of ['one', 'two', 'three']) ids.push(await submit(emulator, { text }));
    const page = await open(emulator);
    await row(page, ids[0]!).waitFor();
    await page.locator('#job-rows a[tabindex="0"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.locator('#details-title', { hasText: ids[1]! }).waitFor();
    await page.locator('#tab-Overview').focus();
    await page.keyboard.press('ArrowRight');
    await page.locator('#tab-Input[aria-selected=true]').waitFor();
    await page.keyboard.press('End');
    await page.locator('#tab-History[aria-selected=true]').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#details').waitFor({ state: 'hidden' });
    await page.goBack();
    await page.locator('#details').waitFor({ state: 'visible' });
  });

  test('connects again to an emulator that was started again, and shows nothing of the one before', async () => {
    const before = await start();
    await submit(before, { text: 'one' });
    const page = await open(before);
    await page.locator('#job-rows tr').waitFor();
    await page.locator('#request-rows tr').waitFor();
    await before.close();
    await page.locator('#connection', { hasText: 'not connected' }).waitFor();
    await start({ port: before.port });
    await page.locator('.connection[data-state=live]').waitFor();
    await page.locator('#no-jobs', { hasText: 'No jobs yet' }).waitFor();
    expect(await page.locator('#request-rows tr').count()).toBe(0);
  });

  test('with keys, the browser asks for one', async () => {
    const emulator = await start({ keys: ['test-key-placeholder'] });
    const page = await open(emulator, async (opened) => {
      await opened.context().setHTTPCredentials({ username: 'me', password: 'test-key-placeholder' });
    });
    await send(page, { text: 'one' });
    await page.locator('#sent .tag', { hasText: 'completed' }).waitFor();
  });

  test.each(['light', 'dark'] as const)('an audit finds nothing, %s', async (colorScheme) => {
    const emulator = await start({
      faults: [
        { fault: 'empty-429', on: 'status' },
        { fault: 'throttled-workers', endpoint: 'other' },
      ],
    });
    const id = await submit(emulator, { text: 'one|two|three' });
    await submit(emulator, { fails: 'CUDA out of memory' });
    await submit(emulator, { waits: true });
    await submit(emulator, { x: 1 }, 'other');
    await fetch(`${emulator.baseUrl}/words/status/${id}`);
    await fetch(`${emulator.baseUrl}/nobody/run`, { method: 'POST' });
    const page = await open(emulator, (opened) => opened.emulateMedia({ colorScheme }));
    await send(page, { text: 'one|two' });
    await page.locator('#sent .tag', { hasText: 'completed' }).waitFor();
    await page.locator('.fault summary').first().click();
    expect(await audit(page)).toEqual([]);
    await screenshot(page, `dashboard-${colorScheme}`);
    await row(page, id).locator('a').click();
    for (const tab of ['Overview', 'Input', 'Output', 'Chunks', 'History']) {
      await page.click(`#tab-${tab}`);
      expect([tab, await audit(page)]).toEqual([tab, []]);
      await screenshot(page, `dashboard-${colorScheme}-${tab}`);
    }
  });
});

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds: the rules that are broken, and where. */
async function audit(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { run } = (globalThis as unknown as { axe: { run: typeof runAxe } }).axe;
    const { violations } = await run(document);
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

async function screenshot(page: Page, name: string): Promise<void> {
  const { SCREENSHOTS } = process.env;
  if (!SCREENSHOTS) return;
  await page.evaluate(() => scrollTo(0, 0));
  await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` });
}

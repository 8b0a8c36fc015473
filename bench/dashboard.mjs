/**
 * Measures how soon the dashboard answers an input in Chromium, while the emulator holds 10 000 jobs and runs more: from the
 * event until the page shows what it asked for. It must take at most 100 ms, and the page must have at most 300 rows.
 */
import { chromium } from 'playwright-core';
import { startEmulator } from 'runpod-rx/emulator';
import { chromiumPath, launchOptions } from '../scripts/lib/chromium.mjs';

const HELD_JOBS = 10_000;
const MAX_ROWS = 300;
const MAX_ANSWER = 100;
const ROUNDS = 10;

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function dashboard() {
  const name = 'dashboard: it answers an input at once';
  if (!chromiumPath) return { name, ok: true, skipped: 'there is no Chromium' };
  const emulator = await startEmulator({
    limits: false,
    endpoints: {
      held: { workers: 0 },
      demo: { handler: ({ input }, { delay }) => delay(Number(input.ms)), workers: 20 },
    },
  });
  const browser = await chromium.launch(launchOptions);
  try {
    submit(emulator, 'held', HELD_JOBS);
    const page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
    await page.goto(emulator.url);
    await page.waitForSelector('#job-rows tr');
    const rows = [];
    const search = [];
    const open = [];
    for (let round = 0; round < ROUNDS; round++) {
      submit(emulator, 'demo', 20);
      const job = emulator.jobs().at(-1 - round);
      search.push(
        await answerTime(page, { type: '#filter [name=search]', text: job.id, shown: '#job-count', says: '1 of' }),
      );
      rows.push(await page.locator('#job-rows tr').count());
      search.push(
        await answerTime(page, { type: '#filter [name=search]', text: '', shown: '#job-count', says: 'latest' }),
      );
      rows.push(await page.locator('#job-rows tr').count());
      open.push(await answerTime(page, { click: '#job-rows a', shown: '#tab-panel', says: 'Submitted by' }));
      await page.keyboard.press('Escape');
    }
    const worst = Math.max(...search, ...open);
    return {
      name,
      ok: worst <= MAX_ANSWER && Math.max(...rows) <= MAX_ROWS,
      asked: { milliseconds: MAX_ANSWER, rows: MAX_ROWS, jobs: HELD_JOBS },
      searchMs: spread(search),
      openMs: spread(open),
      rows: Math.max(...rows),
    };
  } finally {
    await browser.close();
    await emulator.close();
  }
}

/** The median and the worst. */
function spread(times) {
  const sorted = [...times].sort((one, other) => one - other);
  return { median: sorted[Math.floor(sorted.length / 2)], worst: sorted.at(-1) };
}

function submit(emulator, endpoint, count) {
  for (let at = 0; at < count; at++) {
    const body = JSON.stringify({ input: { at, ms: 500 } });
    emulator.handle({ method: 'POST', url: `/v2/${endpoint}/run`, headers: {}, body }).subscribe();
  }
}

/** Milliseconds from an input until the page shows a text, as the page itself sees them. */
function answerTime(page, order) {
  return page.evaluate(
    ({ type, text, click, shown, says }) =>
      new Promise((resolve) => {
        const place = document.querySelector(shown);
        const startedAt = performance.now();
        const look = () => {
          if (!place.textContent.includes(says)) return;
          watcher.disconnect();
          resolve(Math.round(performance.now() - startedAt));
        };
        const watcher = new MutationObserver(look);
        watcher.observe(place, { childList: true, subtree: true, characterData: true });
        if (click) document.querySelector(click).click();
        else {
          const field = document.querySelector(type);
          field.value = text;
          field.dispatchEvent(new Event('input', { bubbles: true }));
        }
      }),
    order,
  );
}

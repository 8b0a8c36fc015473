/**
 * Makes the picture of the dashboard's page in the documentation, docs/dashboard.png: of the built package, in Chromium.
 *
 *   npm run picture
 */
import { statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { interval, map, take } from 'rxjs';
import { launchOptions } from './lib/chromium.mjs';
import { palettePng } from './lib/palettePng.mjs';
import { bootstrap } from './bootstrap.mjs';

bootstrap();
const { ensureBuilt } = await import('./lib/build.mjs');
ensureBuilt();
const { startEmulator } = await import('runpod-rx/emulator');

const picture = fileURLToPath(new URL('../docs/dashboard.png', import.meta.url));
const SENTENCE = 'The light turns slowly over the fog, and nobody sees it but the gulls.';

const emulator = await startEmulator({
  seed: 7,
  port: 8008,
  endpoints: {
    'sd-turbo': {
      workers: 3,
      handler: ({ input }, { delay }) =>
        delay(Number(input.ms)).pipe(
          map(() => {
            if (input.ms % 90 === 0) throw new RangeError('CUDA out of memory');
            return { seed: 12 };
          }),
        ),
    },
    'llama-8b': {
      workers: 2,
      coldStart: 300,
      stream: true,
      handler: () =>
        interval(120).pipe(
          take(14),
          map((at) => `${SENTENCE.split(' ')[at]} `),
        ),
    },
    whisper: { workers: 2, handler: (_, { delay }) => delay(600_000) },
  },
});

const submit = (endpoint, input, agent) =>
  fetch(`${emulator.baseUrl}/${endpoint}/run`, {
    method: 'POST',
    headers: { 'user-agent': agent },
    body: JSON.stringify({ input }),
  }).then((answer) => answer.json());

const inTurn = async (count, act) => {
  for (let at = 0; at < count; at++) await act(at);
};

await inTurn(24, (at) => submit('sd-turbo', { prompt: 'a lighthouse', ms: 30 * (at + 1) }, 'gallery/1.4'));
await inTurn(6, () => submit('llama-8b', { prompt: 'a lighthouse' }, 'shop-api/2.1'));
await inTurn(4, () => submit('whisper', { audio: 'gulls.mp3' }, 'shop-api/2.1'));
emulator.inject({ fault: 'empty-429', on: 'status', probability: 0.3 });
emulator.inject({ fault: 'throttled-workers', endpoint: 'whisper', workers: 1 });
const { id } = await submit('llama-8b', { prompt: 'the fog' }, 'shop-api/2.1');
await inTurn(12, () =>
  fetch(`${emulator.baseUrl}/llama-8b/status/${id}`, { headers: { 'user-agent': 'shop-api/2.1' } }),
);

const browser = await chromium.launch(launchOptions);
const page = await browser.newPage({ colorScheme: 'light', viewport: { width: 1240, height: 1060 } });
await page.goto(emulator.url);
await page.locator('#job-rows tr').first().waitFor();
await page.locator('#endpoints', { hasText: '2 running' }).waitFor();
writeFileSync(picture, palettePng(await page.screenshot()));
await browser.close();
await emulator.close();
console.log(`${picture}: ${Math.round(statSync(picture).size / 1024)} KB`);

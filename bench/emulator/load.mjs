/** The load, run as a child process: `load.mjs baseUrl held`. Sends its measurements to the parent process. */
import { Pool } from 'undici';

const CONNECTIONS = 50;
const WARM_UP = 1_000;
const SECONDS = 5;

const [baseUrl, held] = process.argv.slice(2);
const { origin, pathname } = new URL(baseUrl);
const pool = new Pool(origin, { connections: CONNECTIONS });

async function ask(method, path, body) {
  const answer = await pool.request({ method, path: `${pathname}/${path}`, body });
  return { status: answer.statusCode, body: await answer.body.json() };
}

const job = JSON.stringify({ input: { text: 'hello' } });
const ids = [];
await inParallel(async () => {
  while (ids.length < Number(held)) {
    const place = ids.push('') - 1;
    ids[place] = (await ask('POST', 'held/run', job)).body.id;
  }
});

/** The operations that each connection repeats: one job from submission to cancel, with reads of held jobs in between. */
const mix = [
  async (own) => {
    const answer = await ask('POST', 'demo/run', job);
    own.id = answer.body.id;
    return answer;
  },
  (own) => ask('GET', `demo/status/${own.id}`),
  () => ask('GET', `held/status/${ids[Math.floor(Math.random() * ids.length)]}`),
  (own) => ask('GET', `demo/stream/${own.id}?wait=1000`),
  () => ask('POST', 'demo/runsync', job),
  () => ask('GET', `held/status/${ids[Math.floor(Math.random() * ids.length)]}`),
  (own) => ask('POST', `demo/cancel/${own.id}`),
  () => ask('GET', 'demo/health'),
  () => ask('GET', 'held/health'),
];

const durations = [];
let failed = 0;
const measureFrom = performance.now() + WARM_UP;
const end = measureFrom + SECONDS * 1_000;
await inParallel(async () => {
  const own = { id: '' };
  for (let step = 0; performance.now() < end; step += 1) {
    const at = performance.now();
    const { status } = await mix[step % mix.length](own);
    if (at < measureFrom) continue;
    durations.push(performance.now() - at);
    if (status !== 200) failed += 1;
  }
});
await pool.close();

durations.sort((one, two) => one - two);
const share = (part) => Number((durations[Math.floor(durations.length * part)] ?? 0).toFixed(1));
process.send({
  perSecond: Math.round(durations.length / SECONDS),
  requests: durations.length,
  failed,
  connections: CONNECTIONS,
  msMedian: share(0.5),
  ms99: share(0.99),
});
process.disconnect();

function inParallel(task) {
  return Promise.all(Array.from({ length: CONNECTIONS }, task));
}

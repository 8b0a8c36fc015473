/** `load.mjs client baseUrl`: says when it is ready, then at each message makes so many requests, 64 at once, and tells what they cost. */
import { clients } from './clients.mjs';

const AT_ONCE = 64;
const WARM_UP = 4_000;

const [name, baseUrl] = process.argv.slice(2);
const ask = await clients[name](baseUrl);

async function load(requests) {
  let left = requests;
  let bad = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left > 0) {
        left -= 1;
        const { status } = await ask(`job-${left % 1_000}`);
        if (status !== 'COMPLETED') bad += 1;
      }
    }),
  );
  if (bad > 0) throw new Error(`${name}: ${bad} answers were not what the server said`);
}

process.on('message', async (requests) => {
  const began = performance.now();
  const cpu = process.cpuUsage();
  await load(requests);
  const { user, system } = process.cpuUsage(cpu);
  process.send({ cpu: (user + system) / requests, perSecond: requests / ((performance.now() - began) / 1_000) });
});
process.once('disconnect', () => process.exit());

await load(WARM_UP);
process.send('ready');

/**
 * `load.mjs client baseUrl`: sends `ready` to its parent. Each message from the parent is a number of requests; the process
 * makes them, 64 at once, and sends back what they cost.
 */
import { clients } from './clients.mjs';
import { watchedClients } from './watchedClients.mjs';

const AT_ONCE = 64;
const WARM_UP = 4_000;

const [name, baseUrl] = process.argv.slice(2);
const ask = await { ...clients, ...watchedClients }[name](baseUrl);

async function load(requests) {
  let remaining = requests;
  let bad = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (remaining > 0) {
        remaining -= 1;
        const { status } = await ask(`job-${remaining % 1_000}`);
        if (status !== 'COMPLETED') bad += 1;
      }
    }),
  );
  if (bad > 0) throw new Error(`${name}: ${bad} answers were not the server's`);
}

process.on('message', async (requests) => {
  const start = performance.now();
  const cpu = process.cpuUsage();
  await load(requests);
  const { user, system } = process.cpuUsage(cpu);
  process.send({ cpu: (user + system) / requests, perSecond: requests / ((performance.now() - start) / 1_000) });
});
process.once('disconnect', () => process.exit());

await load(WARM_UP);
process.send('ready');

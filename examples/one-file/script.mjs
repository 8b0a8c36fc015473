/**
 * One job from a script:
 *
 *     node script.mjs "a lighthouse"
 */
import { firstValueFrom } from 'rxjs';
import { result, runpod } from 'runpod-rx';

const client = runpod();
const endpoint = client.endpoint(process.env.ENDPOINT_ID ?? 'my-endpoint');

// Ctrl-C leaves the job, which cancels it.
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

try {
  const job = endpoint.job({ input: { prompt: process.argv[2] ?? 'a lighthouse' } });
  console.log(await result(job, { signal: stop.signal }));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

// Waits until a job that was left is cancelled.
await firstValueFrom(client.close());

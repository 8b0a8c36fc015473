/**
 * A stream of tokens to the terminal:
 *
 *     node tokens.mjs "once upon a time"
 */
import { firstValueFrom } from 'rxjs';
import { iterate, runpod } from 'runpod-rx';

const client = runpod();
const endpoint = client.endpoint(process.env.ENDPOINT_ID ?? 'my-stream');

// Ctrl-C leaves the job, which cancels it.
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

try {
  const input = { prompt: process.argv[2] ?? 'once upon a time' };
  const job = endpoint.job({ input }, { signal: stop.signal });
  for await (const { text } of iterate(job.chunks$)) process.stdout.write(`${text} `);
  process.stdout.write('\n');
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

// Waits until a job that was left is cancelled.
await firstValueFrom(client.close());

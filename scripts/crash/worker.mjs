/**
 * A process that runs a pipeline of durable jobs, and may be killed at any moment. Says on its standard output, a line of JSON
 * each, that it is ready, and what it ended with.
 */
import { appendFileSync, linkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runAll, runpod } from 'runpod-rx';
import { durable, fileStore, webhookFolder } from 'runpod-rx/durable';
import { createWebhooks } from 'runpod-rx/server';

const { baseUrl, folder, mode, jobs, concurrency, webhookUrl } = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const note = (file, text) => appendFileSync(join(folder, file), `${text}\n`);

const file = fileStore(join(folder, 'jobs.journal'));
const store = {
  ...file,
  put: async (row) => {
    await file.put(row);
    // Written before the request is on the wire.
    if (row.state === 'sending') note('sending.log', row.key);
  },
};
const webhooks =
  webhookUrl &&
  createWebhooks({
    url: webhookUrl,
    secret: 'a-secret-of-the-crash-test',
    store: webhookFolder(join(folder, 'webhooks')),
  });

const endpoint = runpod({ apiKey: 'key', baseUrl }).endpoint('demo');
const runner = durable(endpoint, {
  store,
  key: ({ input }) => input.key,
  ambiguous: mode,
  ended: 'skip',
  grace: 30_000,
  ...(webhooks && { webhooks }),
});

/** Stores a result, once and whole: a process that is killed in the middle leaves no file under the key's name. */
async function commit(item) {
  const { key } = item.request.input;
  if (!item.ok) return;
  note('given.log', key);
  try {
    const draft = join(folder, `${key}-of-${process.pid}`);
    writeFileSync(draft, JSON.stringify(item.output));
    linkSync(draft, join(folder, 'results', key));
    note('stored.log', key);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

const inputs = Array.from({ length: jobs }, (_, index) => ({ input: { key: `job-${index}` } }));
const failed = [];
say({ ready: true });
runAll(runner, inputs, { concurrency, commit }).subscribe({
  next: (item) => {
    if (!item.ok) failed.push({ key: item.request.input.key, code: item.error.code, message: item.error.message });
  },
  error: (error) => {
    say({ error: String(error) });
    process.exit(1);
  },
  complete: async () => {
    const ambiguous = [];
    for await (const { key } of file.rows('sending')) ambiguous.push(key);
    const rows = [];
    for await (const { key, end } of file.rows('ended')) if (end?.lost) rows.push({ key, lost: end.lost });
    await file.close();
    say({ done: true, failed, ambiguous, lost: rows });
    process.exit(0);
  },
});

/** A process that wants a journal: says whether it has got it, and keeps it until it is killed. */
import { fileStore } from 'runpod-rx/durable';

const { path, at } = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const store = fileStore(path);
say({ ready: true });
// At the same moment as the other process.
while (Date.now() < at);
try {
  await store.put({ key: String(process.pid), fingerprint: '', state: 'wanted', generation: 1 });
  const rows = [];
  for await (const { key } of store.rows()) rows.push(key);
  say({ owner: true, rows: rows.length });
} catch (error) {
  say({ owner: false, message: error.message });
}
// Reads what never comes, so that the process lives on.
process.stdin.resume();

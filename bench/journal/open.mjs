/** Opens a journal, and tells how long that took, and how much memory a row takes. */
import { fileStore } from 'runpod-rx/durable';

const used = () => {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + Math.max(external, arrayBuffers);
};
const store = fileStore(process.argv[2]);
const before = used();
const startedAt = performance.now();
await store.get('order-0');
const seconds = (performance.now() - startedAt) / 1000;
const bytes = used() - before;
let rows = 0;
for await (const { key } of store.rows()) if (key) rows++;
await store.close();
process.send({ seconds, bytesPerRow: bytes / rows, rows });

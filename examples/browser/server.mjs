/**
 * A page without a framework and without a build, over the proxy. The browser gets the modules as npm has installed them.
 * Start it with `npm run example browser`.
 */
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import express from 'express';
import { runpod } from 'runpod-rx';
import { createProxy, toExpress } from 'runpod-rx/server';

const { PORT = '3000', ENDPOINT_ID = 'my-endpoint' } = process.env;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const installed = (name) => dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)));

const client = runpod();
const proxy = createProxy({
  client,
  endpoints: { [ENDPOINT_ID]: { operations: ['run', 'status', 'stream', 'cancel'], quota: { jobs: 10 } } },
  user: () => 'guest',
  events: true,
});

const app = express();
app.use('/api/runpod', toExpress(proxy));
app.get('/endpoint-id', (_, response) => response.type('text').send(ENDPOINT_ID));
app.use('/lib/runpod-rx', express.static(join(installed('runpod-rx'), 'dist')));
app.use('/lib/rxjs', express.static(join(installed('rxjs'), 'dist/esm'), { extensions: ['js'] }));
app.use('/lib/tslib', express.static(installed('tslib')));
app.use(express.static(here('public')));

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log(`http://localhost:${server.address().port}`));

process.once('SIGINT', () => {
  server.close();
  server.closeAllConnections();
  client.close().subscribe(() => process.exit());
});

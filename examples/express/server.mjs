/**
 * A back end with Express: pages submit and follow jobs at /api/runpod, and RunPod tells the server of every end at
 * /hooks/runpod. Start it with `npm run example express`.
 */
import express from 'express';
import { of } from 'rxjs';
import { runpod } from 'runpod-rx';
import { createProxy, createWebhooks, toExpress } from 'runpod-rx/server';

const {
  PORT = '3000',
  PUBLIC_URL = `http://localhost:${PORT}`,
  WEBHOOK_SECRET,
  ENDPOINT_ID = 'my-endpoint',
} = process.env;

const webhooks = createWebhooks({ url: `${PUBLIC_URL}/hooks/runpod`, secret: WEBHOOK_SECRET });
const client = runpod({ notices: webhooks.notices });
const endpoint = client.endpoint(ENDPOINT_ID);

const app = express();

app.use('/hooks/runpod', toExpress(webhooks.handle));

app.use(
  '/api/runpod',
  toExpress(
    createProxy({
      client,
      endpoints: { [ENDPOINT_ID]: { operations: ['run', 'status', 'stream', 'cancel'], quota: { jobs: 10 } } },
      // Your own session or token decides who this is. Here, everybody may say.
      user: (request) => request.headers.get('x-user') ?? 'guest',
    }),
  ),
);

// A job of the server's own, for an order: the order's number is the key by which its webhook is known.
app.post('/orders/:number', express.json(), (request, response) => {
  const { number } = request.params;
  const job = endpoint.job(
    { input: request.body },
    { tag: number, beforeSubmit: (made) => of(webhooks.sign(made, number)) },
  );
  const output = job.output$.subscribe({
    next: (result) => response.json({ number, result }),
    error: (error) => response.status(502).json({ number, error: error.message }),
  });
  // Whoever ordered has left: the job is cancelled.
  response.on('close', () => output.unsubscribe());
});

const server = app.listen(Number(PORT), '127.0.0.1', () => console.log(`http://localhost:${server.address().port}`));

process.once('SIGINT', () => {
  server.close();
  // Jobs that nobody waits for any more are cancelled before the process ends.
  client.close().subscribe(() => process.exit());
});

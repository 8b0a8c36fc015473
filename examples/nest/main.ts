/**
 * A back end with Nest: jobs by HTTP and as server-sent events, webhooks, pages that use an endpoint without a key, and a queue
 * of orders. Start it with `npm run example -- nest`, and try:
 *
 *   curl -X POST localhost:3000/jobs -H 'content-type: application/json' -d '{"prompt":"a lighthouse"}'
 *   curl localhost:3000/jobs/ID/events
 *   curl 'localhost:3000/pictures?prompt=a+lighthouse'
 *   curl -X POST localhost:3000/orders/4711 -H 'content-type: application/json' -d '{"prompt":"a harbour"}'
 *   curl localhost:3000/orders/4711
 */
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RunpodModule } from 'runpod-rx/nestjs';
import { JobsController } from './JobsController.js';
import { OrdersController } from './OrdersController.js';
import { OrdersService } from './OrdersService.js';
import { ENDPOINT_ID } from './settings.js';

const { PORT = '3000', PUBLIC_URL = `http://localhost:${PORT}`, WEBHOOK_SECRET } = process.env;

@Module({
  imports: [
    // The key is RUNPOD_API_KEY.
    RunpodModule.forRoot({
      webhooks: { url: `${PUBLIC_URL}/hooks/runpod`, secret: WEBHOOK_SECRET },
      proxy: {
        endpoints: { [ENDPOINT_ID]: { operations: ['run', 'status', 'cancel'], quota: { jobs: 10 } } },
        // Your own session or token decides who this is. Here, everybody may say.
        user: (request) => request.headers.get('x-user') ?? 'guest',
      },
    }),
    RunpodModule.forFeature([{ name: 'painter', id: ENDPOINT_ID }]),
  ],
  controllers: [JobsController, OrdersController],
  providers: [OrdersService],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'] });
// On SIGTERM the client is closed first: streams end, and jobs that nobody waits for are cancelled.
app.enableShutdownHooks();
await app.listen(Number(PORT), '127.0.0.1');
console.log((await app.getUrl()).replace('127.0.0.1', 'localhost'));

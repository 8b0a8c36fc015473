/** An application of Nest in a process of its own, for `shutdown.test.ts`. */
import { Controller, Module, Query, Sse } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Endpoint } from 'runpod-rx';
import { InjectEndpoint, RunpodModule, toSse } from 'runpod-rx/nestjs';

@Controller()
class DemoController {
  constructor(@InjectEndpoint('demo') private readonly endpoint: Endpoint) {}

  @Sse('stream')
  stream(@Query('prompt') prompt: string) {
    return toSse(this.endpoint.job({ input: { prompt } }));
  }
}

@Module({
  // It must not be this that ends the application.
  imports: [RunpodModule.forRoot({ closeTimeout: 100_000 }), RunpodModule.forFeature(['demo'])],
  controllers: [DemoController],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
app.enableShutdownHooks();
await app.listen(0, '127.0.0.1');
process.send?.(await app.getUrl());

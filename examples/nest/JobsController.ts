import { Body, Controller, Get, HttpCode, Param, Post, Query, Sse, UseInterceptors } from '@nestjs/common';
import { map } from 'rxjs';
import type { Endpoint } from 'runpod-rx';
import { InjectEndpoint, toSse, UnsubscribeOnDisconnect } from 'runpod-rx/nestjs';
import type { Input, Output } from './settings.js';

/** Jobs by HTTP. */
@Controller()
export class JobsController {
  constructor(@InjectEndpoint('painter') private readonly painter: Endpoint<Input, Output>) {}

  /** Submits a job, and answers with its id. */
  @Post('jobs')
  @HttpCode(202)
  submit(@Body() input: Input) {
    return this.painter.run({ input }).pipe(map(({ id }) => ({ id })));
  }

  @Get('jobs/:id')
  read(@Param('id') id: string) {
    return this.painter.status(id).pipe(map(({ status }) => ({ id, status })));
  }

  /** Follows a job. Clients come and go, and the job goes on: a browser's `EventSource` may connect again. */
  @Sse('jobs/:id/events')
  events(@Param('id') id: string) {
    return toSse(this.painter.attach(id));
  }

  /** Runs a job for one client, for `curl` and `fetch`: when the client goes away, the job is cancelled. */
  @Sse('pictures')
  stream(@Query('prompt') prompt: string) {
    return toSse(this.painter.job({ input: { prompt } }));
  }

  /** The same without a stream. */
  @Post('pictures')
  @UseInterceptors(UnsubscribeOnDisconnect)
  paint(@Body() input: Input) {
    return this.painter.job({ input }).output$;
  }
}

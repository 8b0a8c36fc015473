import { Catch, HttpException, Logger, type ArgumentsHost } from '@nestjs/common';
import { BaseExceptionFilter } from '@nestjs/core';
import { RunpodError } from '../index.js';
import { loggedBody } from './errorAnswers.js';

const logger = new Logger('RunpodExceptionFilter');

/**
 * Answers for the errors of this library: each code has its HTTP status, and the body says `statusCode`, `message`, `code`,
 * `accepted` and `jobId`. The client is told nothing of what the service, a worker or the network said: that is logged, where
 * the status is 5xx.
 *
 * `RunpodModule.forRoot` registers it for the whole application. With `exceptionFilter: false`, put it where you want it:
 *
 * ```ts
 * @UseFilters(RunpodExceptionFilter)
 * ```
 *
 * On a WebSocket gateway it emits the body as the event `exception`; elsewhere (RPC, GraphQL) Nest's own filter goes on.
 */
export class RunpodExceptionFilter extends BaseExceptionFilter {
  /** Called by Nest. */
  override catch(exception: RunpodError, host: ArgumentsHost): void {
    const body = loggedBody(exception, logger);
    const context = host.getType();
    if (context === 'http') {
      this.#setRetryAfter(exception, host);
      super.catch(new HttpException(body, body.statusCode), host);
    } else if (context === 'ws') {
      host.switchToWs().getClient<{ emit?(event: string, body: object): unknown }>().emit?.('exception', body);
    }
  }

  #setRetryAfter(exception: RunpodError, host: ArgumentsHost): void {
    const { retryAfter } = exception as { readonly retryAfter?: number };
    const adapter = this.applicationRef ?? this.httpAdapterHost?.httpAdapter;
    const response: unknown = host.switchToHttp().getResponse();
    if (retryAfter === undefined || !adapter || adapter.isHeadersSent(response)) return;
    adapter.setHeader(response, 'Retry-After', String(Math.ceil(retryAfter / 1000)));
  }
}

Catch(RunpodError)(RunpodExceptionFilter);

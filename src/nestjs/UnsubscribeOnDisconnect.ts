import type { ServerResponse } from 'node:http';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { concat, defer, EMPTY, filter, fromEvent, of, takeUntil, tap, type Observable } from 'rxjs';

/**
 * Unsubscribes from the Observable that a route returns when the client goes away before it has its answer. Nest would stay
 * subscribed, and a job that nobody waits for would run on.
 *
 * ```ts
 * @Post()
 * @UseInterceptors(UnsubscribeOnDisconnect)
 * paint(@Body() input: Input): Observable<Output> {
 *   return this.endpoint.job({ input }).output$;
 * }
 * ```
 *
 * Return the Observable: of a Promise, nothing can be unsubscribed. Routes with `@Sse()` need no interceptor.
 */
export class UnsubscribeOnDisconnect implements NestInterceptor {
  /** Called by Nest. */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const response = context.switchToHttp().getResponse<ServerResponse & { readonly raw?: ServerResponse }>();
    // Fastify has Node's response within its own.
    const raw = response.raw ?? response;
    let hasLeft = false;
    // The client may have left while a guard was asked. Then nothing is emitted any more.
    const closed$: Observable<unknown> = raw.destroyed ? of(undefined) : fromEvent(raw, 'close');
    const left$ = closed$.pipe(
      filter(() => !raw.writableFinished),
      tap(() => (hasLeft = true)),
    );
    // Nest takes an Observable without a value for an error.
    const nothing$ = defer(() => (hasLeft ? of(undefined) : EMPTY));
    return concat(next.handle().pipe(takeUntil(left$)), nothing$);
  }
}

Injectable()(UnsubscribeOnDisconnect);

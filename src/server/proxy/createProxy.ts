import { reportUnhandled } from '../../errors/reportUnhandled.js';
import { assertRequest } from '../assertRequest.js';
import type { Handler } from '../Handler.js';
import { errorAnswer } from '../jsonAnswer.js';
import { checkProxyOptions } from './checkProxyOptions.js';
import { PageProxy } from './PageProxy.js';
import type { ProxyOptions } from './ProxyOptions.js';

/**
 * A proxy for pages: they use the endpoints that you list, without a key, and each user reaches his own jobs only.
 *
 * ```ts
 * const proxy = createProxy({
 *   client: runpod(),
 *   endpoints: { 'my-endpoint': { operations: ['run', 'status', 'cancel'] } },
 *   user: (request) => sessionOf(request)?.userId,
 * });
 * app.use('/api/runpod', toExpress(proxy));
 * ```
 *
 * The client of a page needs nothing but `runpod({ baseUrl: '/api/runpod' })`.
 *
 * What is not listed does not exist (404), nor does the job of another user. Pages of other sites are refused (403). Only the
 * `input` of a submission is passed on. All pages share the client's limits and its reads. Where a page leaves before it has
 * the answer to its submission, `onDisconnect` decides what becomes of the job.
 *
 * Throws `ConfigurationError` for options that cannot work. The handler never rejects, but for
 * what is no `Request`.
 */
export function createProxy(options: ProxyOptions): Handler {
  checkProxyOptions(options);
  const proxy = new PageProxy(options);
  return async (request, context) => {
    assertRequest('createProxy', request);
    try {
      return await proxy.handle(request, context);
    } catch (error) {
      reportUnhandled(error);
      return errorAnswer(500, 'internal error');
    }
  };
}

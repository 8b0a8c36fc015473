import { HttpErrorResponse, type HttpResponse } from '@angular/common/http';
import type { Reply } from '../../index.js';
import { plainHeaders } from './plainHeaders.js';

/** An answer of `HttpClient` as the client takes it. */
export function toReply(response: HttpResponse<unknown> | HttpErrorResponse): Reply {
  const body: unknown = response instanceof HttpErrorResponse ? response.error : response.body;
  return { status: response.status, headers: plainHeaders(response.headers), text: textOf(body) };
}

/** An interceptor may answer by itself, with a value. */
function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  return body === null || body === undefined ? '' : JSON.stringify(body);
}

import { NEVER, concat, delay, ignoreElements, map, mergeMap, of, throwError } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { empty, json, type Answer } from '../model/answers.js';
import type { FaultRule } from './FaultRule.js';
import { networkError } from './networkError.js';
import { trickle } from './trickle.js';

const EDGE_PAGE =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n';

/** Applies a fault to a request. Subscribing to `act` performs the request; some faults never subscribe to it. */
export function applyFault(rule: FaultRule, act: Observable<Answer>, scheduler: SchedulerLike): Observable<Answer> {
  const instead = (answer: Answer): Observable<Answer> => (rule.accepted ? act.pipe(map(() => answer)) : of(answer));
  switch (rule.fault) {
    case 'connection-refused':
      return throwError(() => networkError('connect', 'ECONNREFUSED'));
    case 'reset-before':
      return throwError(() => networkError('sent', 'ECONNRESET'));
    case 'reset-after':
    case 'dropped-stream':
      return act.pipe(mergeMap(() => throwError(() => networkError('sent', 'ECONNRESET'))));
    case 'no-answer':
      return concat(act.pipe(ignoreElements()), NEVER);
    case 'slow-answer':
      return act.pipe(delay(rule.after ?? 10_000, scheduler));
    case 'slow-body':
      return act.pipe(map((answer) => ({ ...answer, body$: trickle(answer.text, rule.for ?? 10_000, scheduler) })));
    case 'truncated-answer':
      return act.pipe(map((answer) => ({ ...answer, text: answer.text.slice(0, Math.floor(answer.text.length / 2)) })));
    case 'html-502':
      return instead({ status: 502, headers: { 'content-type': 'text/html' }, text: EDGE_PAGE });
    case 'empty-502':
      return instead(empty(502));
    case 'empty-429':
      return instead(empty(429, rule.retryAfter === undefined ? {} : { 'retry-after': String(rule.retryAfter) }));
    case 'bare-error':
      return instead(json(200, { error: rule.message ?? 'internal error' }));
    case 'answer':
      return instead(custom(rule));
    default:
      // Faults of jobs and workers do not change the request.
      return act;
  }
}

function custom({ status = 500, headers, body }: FaultRule): Answer {
  if (body === undefined) return empty(status, headers);
  const answer = typeof body === 'string' ? { ...empty(status), text: body } : json(status, body);
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

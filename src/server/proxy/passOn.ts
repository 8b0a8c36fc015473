import { catchError, defer, last, map, of, type Observable } from 'rxjs';
import type { CallOptions, Reply } from '../../index.js';
import { parseJson } from '../../protocol/json.js';
import { replyAnswer } from './answers.js';
import { errorResponse } from './errorResponse.js';

/** What became of a call: the service's answer, whatever its status, or the error that kept it from coming. */
export type Outcome = { readonly reply: Reply } | { readonly error: unknown };

/** Makes a call of the client whose answer is passed on as it is. Never errors. */
export type PassableCall = (options: Pick<CallOptions, 'onReply'>) => Observable<unknown>;

/** Makes a call, and emits what became of it. */
export function outcomeOf(call: PassableCall): Observable<Outcome> {
  return defer(() => {
    let reply: Reply | undefined;
    const onReply = (received: Reply) => {
      reply = received;
    };
    return call({ onReply }).pipe(
      last(),
      map(() => ({ reply: reply as Reply })),
      catchError((error: unknown) => of(reply ? { reply } : { error })),
    );
  });
}

/**
 * The page's answer.
 *
 * @param secret - what only the server may know, and the service might say: it is taken out
 */
export function outcomeAnswer(outcome: Outcome, secret = ''): Response {
  const hide = (text: string) => withoutSecret(text, secret);
  if ('error' in outcome) return errorResponse(outcome.error, hide);
  const { reply } = outcome;
  return replyAnswer({ ...reply, text: hide(reply.text) });
}

/** Takes a secret out of a text, also where that is JSON which writes the secret with escapes. */
function withoutSecret(text: string, secret: string): string {
  if (!secret) return text;
  const plain = text.replaceAll(secret, '***');
  const unescaped = JSON.stringify(parseJson(plain) ?? null);
  return unescaped.includes(secret) ? unescaped.replaceAll(secret, '***') : plain;
}

/** Makes a call, and emits the page's answer. */
export function passOn(call: PassableCall): Observable<Response> {
  return outcomeOf(call).pipe(map((outcome) => outcomeAnswer(outcome)));
}

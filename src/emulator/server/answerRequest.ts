import type { IncomingMessage, ServerResponse } from 'node:http';
import { Subscription, of } from 'rxjs';
import type { Observable } from 'rxjs';
import type { EmulatorKey } from '../EmulatorOptions.js';
import type { Emulator as Core, EmulatorRequest } from '../index.js';
import { isControl } from '../inspect/control.js';
import { json, unauthorized, type Answer } from '../model/answers.js';
import { opensAnything } from '../model/keys.js';
import { isLoopback } from '../../protocol/loopback.js';
import type { Access } from './access.js';
import { corsHeaders, type CorsOption } from './cors.js';
import type { Dashboard } from './dashboard/Dashboard.js';
import { presentedKey } from './dashboard/presentedKey.js';
import { bracketed, hostName } from './hostName.js';
import { readBody } from './readBody.js';
import { readTarget } from './requestTarget.js';
import { writeAnswer } from './writeAnswer.js';

/** What requests are answered with. */
export interface Serving {
  readonly core: Core;
  readonly dashboard: Dashboard;
  readonly access: Access;
  readonly cors: CorsOption;
  readonly keys: readonly EmulatorKey[] | undefined;
}

/** Answers one HTTP request from the model; a client that disconnects unsubscribes from the answer. Never rejects. */
export async function answerRequest(
  serving: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { access, cors } = serving;
  const allowed = corsHeaders(cors, request.headers);
  const send = (answer: Answer): Subscription => writeSafely(response, answer, allowed);

  const target = readTarget(request.url ?? '/');
  const { headers } = request;
  const refusal = access.refusal({ headers, ...(target?.host !== undefined && { targetHost: target.host }) });
  if (refusal !== undefined) {
    // The body is thrown away unread: nothing of the request takes effect.
    request.resume();
    send({ status: 403, headers: { 'content-type': 'text/plain' }, text: `${refusal}\n` });
    return;
  }
  if (request.method === 'OPTIONS' && cors !== false) {
    send({ status: 204, headers: {}, text: '' });
    return;
  }
  const body = await readBody(request);
  if (!body) return;
  const served = { method: request.method ?? 'GET', url: target?.path ?? '', headers: flat(request), ...body };
  const answering = new Subscription();
  response.on('close', () => answering.unsubscribe());
  answering.add(
    answerTo(serving, served, request, response).subscribe({
      next: (answer) => answering.add(send(answer)),
      // Reset the connection, as a broken network does, instead of closing it in order.
      error: () => request.socket.resetAndDestroy(),
    }),
  );
}

/** The answer of the dashboard, of the control routes or of the model. */
function answerTo(
  serving: Serving,
  served: EmulatorRequest,
  { socket }: IncomingMessage,
  response: ServerResponse,
): Observable<Answer> {
  const { core, dashboard } = serving;
  if (dashboard.owns(served)) return dashboard.answer(served, () => !response.writableNeedDrain);
  const refusal = refuseRoute(serving, served, socket.remoteAddress);
  return refusal ? of(refusal) : core.handle(served);
}

/** The answer to a request for no route of the server, or for the control routes without the key that they need. */
function refuseRoute({ keys }: Serving, request: EmulatorRequest, from = ''): Answer | undefined {
  if (!isControl(request)) return request.url.startsWith('/v2/') ? undefined : json(404, { message: 'Not Found' });
  // On this machine the control routes need no key. From elsewhere they would otherwise show what keys protect.
  if (!keys || isLoopback(hostName(bracketed(from)) ?? '')) return undefined;
  const key = presentedKey(request.headers);
  if (key === '') return unauthorized('no token provided');
  return opensAnything(keys, key) ? undefined : unauthorized('invalid api key');
}

/** Sends an answer. One that HTTP cannot carry, as a caller's `intercept` may give, becomes a 500 that says so. */
function writeSafely(response: ServerResponse, answer: Answer, more: Readonly<Record<string, string>>): Subscription {
  try {
    return writeAnswer(response, answer, more);
  } catch (error) {
    if (response.headersSent) response.socket?.resetAndDestroy();
    else {
      const text = JSON.stringify({ error: `the emulator could not send its answer: ${String(error)}` });
      response.writeHead(500, { 'content-type': 'application/json' }).end(text);
    }
    return Subscription.EMPTY;
  }
}

/** The headers as one text each. */
function flat({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value ?? '')]));
}

import { internalError } from './callHandler.js';
import type { Client } from './Client.js';
import type { NodeRequest, NodeResponse } from './NodeMessages.js';
import { breakOff } from './breakOff.js';
import { pump } from './pump.js';
import { reportFailure } from './reportFailure.js';
import { setHead } from './setHead.js';

/** Sends an answer. If the client goes away, the answer's body is cancelled; if the body fails, the connection ends. */
export async function writeResponse(
  answer: Response,
  message: NodeRequest,
  response: NodeResponse,
  client: Client,
): Promise<void> {
  const { signal } = client;
  const { status, body } = answer;
  // Somebody else may have answered meanwhile, such as a middleware that limits the time.
  if (signal.aborted || response.headersSent || response.writableEnded) {
    drop(body, signal);
    return;
  }
  try {
    setHead(answer, message, response);
  } catch (error) {
    drop(body, signal);
    reportFailure(error, signal);
    await writeResponse(internalError(), message, response, client);
    return;
  }
  if (!body || message.method === 'HEAD' || status === 204 || status === 304) {
    drop(body, signal);
    response.end();
    return;
  }
  try {
    sendHead(message, response);
    await pump(body, response, signal);
  } catch (error) {
    // To a client that has gone, it makes no difference.
    breakOff(message, response, client);
    reportFailure(error, signal);
  }
}

/** Ends a body that nobody will read. */
function drop(body: Response['body'], signal: AbortSignal): void {
  body?.cancel(signal.reason).catch((error: unknown) => reportFailure(error, signal));
}

/** Clients may wait for the head while the first chunk is not there yet. */
function sendHead(message: NodeRequest, response: NodeResponse): void {
  if (message.httpVersionMajor > 1) {
    response.flushHeaders?.();
    return;
  }
  // A body of another length than its header says would else be taken for a part of the next answer.
  response.strictContentLength = true;
  // Not `flushHeaders`: it writes headers as UTF-8, while they are Latin-1.
  response.write(new Uint8Array());
  response.flush?.();
}

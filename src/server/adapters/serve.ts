import type { Handler } from '../Handler.js';
import { callHandler } from './callHandler.js';
import { Client } from './Client.js';
import type { NodeRequest, NodeResponse } from './NodeMessages.js';
import { toRequest, type Received } from './toRequest.js';
import { writeResponse } from './writeResponse.js';

/** Has a handler answer one request of Node's. */
export async function serve(
  handler: Handler,
  message: NodeRequest,
  response: NodeResponse,
  received: Received,
): Promise<void> {
  const client = new Client(message, response);
  const request = toRequest(message, received, client);
  const answer = 'status' in request ? request : await callHandler(handler, request);
  await writeResponse(answer, message, response, client);
}

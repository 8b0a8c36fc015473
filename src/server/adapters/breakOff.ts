import type { Client } from './Client.js';
import type { Http2Stream, NodeRequest, NodeResponse, NodeSocket } from './NodeMessages.js';

/** HTTP/2's code for a stream with which its server could not go on. */
const INTERNAL_ERROR = 2;

/** Ends an answer that cannot be completed so that the client notices, and gets what was written until then. */
export function breakOff(message: NodeRequest, response: NodeResponse, client: Client): void {
  // It is not the client that goes.
  client.settle();
  const { stream } = message as { stream?: Http2Stream };
  const socket = response.socket as NodeSocket | null | undefined;
  if (stream) {
    stream.close(INTERNAL_ERROR);
  } else if (!socket) {
    // It has the connection once the answers before it are out. `destroy` would wait for that as well, but not on Node 24.
    response.on('socket', (given) => (given as NodeSocket).destroySoon());
  } else if (message.httpVersionMinor === 0 && !socket.encrypted) {
    // The end of the connection is how a client of HTTP/1.0 knows that an answer is complete.
    socket.resetAndDestroy();
  } else {
    // Node may send what was written at the end of this turn, as it does since 24.22.
    process.nextTick(() => socket.destroySoon());
  }
}

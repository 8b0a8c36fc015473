import type { NodeSocket } from './NodeMessages.js';

const listenersOf = new WeakMap<NodeSocket, Set<() => void>>();

/**
 * Calls `listener` when a connection closes; the function that it returns takes that back. A client may send many requests
 * at once on one connection, and each waits for this: a listener of its own for each would look like a leak to Node.
 */
export function onSocketClosed(socket: NodeSocket, listener: () => void): () => void {
  let listeners = listenersOf.get(socket);
  if (!listeners) {
    const all = (listeners = new Set());
    listenersOf.set(socket, all);
    socket.on('close', () => {
      for (const each of [...all]) each();
    });
  }
  const known = listeners;
  known.add(listener);
  return () => known.delete(listener);
}

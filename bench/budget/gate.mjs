import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/** A way to a server on this machine that can be closed: connections are cut, and refused until it is opened again. */
export async function gate(target) {
  const sockets = new Set();
  let open = true;
  const server = createServer((socket) => {
    if (!open) {
      socket.destroy();
      return;
    }
    const behind = connect(target, '127.0.0.1');
    for (const one of [socket, behind]) {
      sockets.add(one);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        socket.destroy();
        behind.destroy();
      });
    }
    socket.pipe(behind).pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: server.address().port,
    shut: () => {
      open = false;
      cut();
    },
    unlock: () => {
      open = true;
    },
    close: () => {
      server.close();
      cut();
    },
  };
}

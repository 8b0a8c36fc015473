import { connect, createServer } from 'node:net';
import { once } from 'node:events';

/** A way to a server that can be shut: its connections are cut, and refused until it is opened again. */
export async function gateTo({ host = '127.0.0.1', port }) {
  const sockets = new Set();
  let isOpen = true;
  const server = createServer((socket) => {
    if (!isOpen) {
      socket.destroy();
      return;
    }
    const behind = connect(port, host);
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
      isOpen = false;
      cut();
    },
    open: () => {
      isOpen = true;
    },
    close: () => {
      server.close();
      cut();
    },
  };
}

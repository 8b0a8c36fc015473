/** Answers every request with one job's status, in a process of its own. Sends its port to its parent. */
import { createServer } from 'node:http';

const body = JSON.stringify({
  delayTime: 3355,
  executionTime: 1571,
  id: 'c165626f-5a3c-4d0e-9b57-0c3f0f6c1a11-u1',
  output: { text: 'a short answer', tokens: [1, 2, 3, 4], seconds: 1.5 },
  status: 'COMPLETED',
  workerId: 'nlzo8ccfn6q1t0',
});
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, headers).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.once('disconnect', () => process.exit());

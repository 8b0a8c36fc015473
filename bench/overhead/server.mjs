/** Answers every request with the status of the job it asks for, in a process of its own. Sends its port to its parent. */
import { createServer } from 'node:http';

const [beforeId, afterId] = JSON.stringify({
  delayTime: 3355,
  executionTime: 1571,
  id: '*',
  output: { text: 'a short answer', tokens: [1, 2, 3, 4], seconds: 1.5 },
  status: 'COMPLETED',
  workerId: 'nlzo8ccfn6q1t0',
}).split('*');

const server = createServer((request, response) => {
  request.resume();
  const id = request.url.slice(request.url.lastIndexOf('/') + 1);
  const body = beforeId + id + afterId;
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
process.once('disconnect', () => process.exit());

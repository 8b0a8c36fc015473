/**
 * A site as it would be deployed, on one origin: the proxy of runpod-rx/server before an emulator, and everything else from the
 * server that renders the pages. It remembers what the pages have asked the proxy.
 */
import { createServer, request as send } from 'node:http';
import { concat, delay, of } from 'rxjs';
import { createRunpod } from 'runpod-rx';
import { createProxy, toNode } from 'runpod-rx/server';
import { createEmulator } from 'runpod-rx/testing';

const words = Array.from({ length: 40 }, (_, index) => `word${index}`);

export class Site {
  /** The requests of pages, and of servers that render them. */
  requests = [];
  #target = 0;

  async start() {
    this.emulator = createEmulator({
      endpoints: {
        quick: {
          handler: ({ input }, { delay: wait }) => concat(wait(700), of({ text: `about ${input.prompt}` })),
          workers: 20,
        },
        slow: { handler: (_, { delay: wait }) => wait(120_000), workers: 50 },
        story: {
          stream: true,
          workers: 20,
          handler: (_, { scheduler }) => concat(...words.map((word) => of(word).pipe(delay(250, scheduler)))),
        },
      },
    });
    this.client = createRunpod({ transport: this.emulator.transport, apiKey: 'placeholder' });
    const endpoint = { operations: ['run', 'status', 'stream', 'cancel', 'health'] };
    const proxy = toNode(
      createProxy({
        client: this.client,
        endpoints: { quick: endpoint, slow: endpoint, story: endpoint },
        user: () => 'ann',
      }),
    );
    this.server = createServer((request, response) => {
      const { url = '', method, headers } = request;
      if (!url.startsWith('/api/runpod/')) return this.#pass(request, response);
      this.requests.push({ path: url.slice('/api/runpod/'.length), method, headers });
      return proxy(request, response);
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
  }

  /** Has pages come from a server that renders them. */
  show(port) {
    this.#target = port;
  }

  /** Forgets what was asked; later jobs are counted from here. */
  reset() {
    this.requests = [];
    this.jobsBefore = this.emulator.jobs().length;
  }

  jobs() {
    return this.emulator.jobs().slice(this.jobsBefore ?? 0);
  }

  statuses() {
    return this.jobs().map(({ status }) => status);
  }

  asked(operation) {
    return this.requests.filter(({ path }) => path.split('/')[1] === operation);
  }

  close() {
    this.client.close().subscribe();
    this.server.closeAllConnections();
    this.server.close();
    this.emulator.close();
  }

  #pass(request, response) {
    const { url, method, headers } = request;
    const onward = send({ port: this.#target, host: '127.0.0.1', path: url, method, headers }, (answer) => {
      const cookie = `XSRF-TOKEN=${'t'.repeat(8)}; Path=/`;
      response.writeHead(answer.statusCode ?? 502, { ...answer.headers, 'set-cookie': cookie });
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  }
}

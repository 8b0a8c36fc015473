// A proxy for pages as a Cloudflare Worker has it.
import { runpod } from 'runpod-rx';
import { createProxy } from 'runpod-rx/server';

/** A store that does not forget between requests would be a database. Here, every job is its asker's. */
const owners = { set: () => undefined, get: () => 'ann' };

let proxy;

export default {
  fetch(request, { baseUrl }, context) {
    proxy ??= createProxy({
      client: runpod({ apiKey: 'a-key-placeholder', baseUrl }),
      endpoints: { slow: { operations: ['run', 'status'] }, upper: { operations: ['run', 'status'] } },
      user: () => 'ann',
      owners,
    });
    return proxy(request, context);
  },
};

import { firstValueFrom } from 'rxjs';

const KEY = 'a-key';

/**
 * The clients to compare. Each gives a function that reads the status of a job and resolves with the parsed answer. A
 * process loads one client only, so that no client pays for another.
 */
export const clients = {
  async 'runpod-rx'(baseUrl) {
    const { runpod } = await import('runpod-rx');
    const endpoint = runpod({ apiKey: KEY, baseUrl, limits: false }).endpoint('demo');
    return (id) => firstValueFrom(endpoint.status(id));
  },
  async 'runpod-rx, limits on'(baseUrl) {
    const { runpod } = await import('runpod-rx');
    // The client keeps count as for the documented limits, but the limit is higher than any machine can reach.
    const limits = { status: { requests: 1e9, concurrent: 400 } };
    const endpoint = runpod({ apiKey: KEY, baseUrl, limits }).endpoint('demo');
    return (id) => firstValueFrom(endpoint.status(id));
  },
  async 'runpod-rx, undiciTransport'(baseUrl) {
    const { createRunpod } = await import('runpod-rx');
    const { undiciTransport } = await import('runpod-rx/undici');
    const client = createRunpod({ apiKey: KEY, baseUrl, limits: false, transport: undiciTransport() });
    const endpoint = client.endpoint('demo');
    return (id) => firstValueFrom(endpoint.status(id));
  },
  async undici(baseUrl) {
    const { Agent, request } = await import('undici');
    const dispatcher = new Agent();
    const headers = { authorization: `Bearer ${KEY}`, accept: 'application/json' };
    return async (id) => {
      const { body } = await request(`${baseUrl}/demo/status/${id}`, { dispatcher, headers });
      return body.json();
    };
  },
  async 'axios over undici'(baseUrl) {
    const { default: axios } = await import('axios');
    // The adapter that the package gives to axios on Node. It is not exported.
    const { undiciAdapter } = await import('../../dist/adapter.node.js');
    const { Agent } = await import('undici');
    const http = axios.create({ adapter: undiciAdapter(new Agent()), headers: { authorization: `Bearer ${KEY}` } });
    return async (id) => (await http.get(`${baseUrl}/demo/status/${id}`)).data;
  },
  async axios(baseUrl) {
    const { default: axios } = await import('axios');
    const http = axios.create({ headers: { authorization: `Bearer ${KEY}` } });
    return async (id) => (await http.get(`${baseUrl}/demo/status/${id}`)).data;
  },
  async 'runpod-sdk'(baseUrl) {
    const { default: runpodSdk } = await import('runpod-sdk');
    const endpoint = runpodSdk(KEY, { baseUrl }).endpoint('demo');
    return (id) => endpoint.status(id);
  },
};

import { firstValueFrom } from 'rxjs';

const KEY = 'a-key';

/** The timeout and the bound that this client has, in milliseconds and bytes: `fetch` alone has them, too. */
const TIMEOUT = 30_000;
const MAX_BYTES = 64 * 1_024 * 1_024;

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
  async 'runpod-rx, fetchTransport'(baseUrl) {
    const { createRunpod } = await import('runpod-rx');
    const { fetchTransport } = await import('runpod-rx/fetch');
    const client = createRunpod({ apiKey: KEY, baseUrl, limits: false, transport: fetchTransport() });
    const endpoint = client.endpoint('demo');
    return (id) => firstValueFrom(endpoint.status(id));
  },
  async fetch(baseUrl) {
    const headers = { authorization: `Bearer ${KEY}`, accept: 'application/json' };
    return async (id) => {
      const response = await fetch(`${baseUrl}/demo/status/${id}`, { headers, signal: AbortSignal.timeout(TIMEOUT) });
      return JSON.parse(await textWithin(response, MAX_BYTES));
    };
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

async function textWithin(response, maxBytes) {
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const part of response.body) {
    size += part.byteLength;
    if (size > maxBytes) throw new Error(`the answer is larger than ${maxBytes} bytes`);
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

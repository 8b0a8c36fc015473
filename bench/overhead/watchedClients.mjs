import { firstValueFrom } from 'rxjs';

/** A client over undici: the cheapest there is, so that what is added shows the most. */
async function watched(baseUrl, watch) {
  const { createRunpod } = await import('runpod-rx');
  const { undiciTransport } = await import('runpod-rx/undici');
  const client = createRunpod({ apiKey: 'a-key', baseUrl, limits: false, transport: undiciTransport() });
  await watch?.(client);
  const endpoint = client.endpoint('demo');
  return (id) => firstValueFrom(endpoint.status(id));
}

async function instrumented(client) {
  const { metrics, trace } = await import('@opentelemetry/api');
  const { instrument } = await import('runpod-rx/otel');
  return instrument(client, { tracer: trace.getTracer('bench'), meter: metrics.getMeter('bench') });
}

/** Clients that are watched in different ways; see `clients`. */
export const watchedClients = {
  'nobody listens': (baseUrl) => watched(baseUrl),
  'a listener that has left': (baseUrl) =>
    watched(baseUrl, async (client) => {
      client.activity$.subscribe(() => undefined).unsubscribe();
      (await instrumented(client)).unsubscribe();
    }),
  'a listener': (baseUrl) => watched(baseUrl, (client) => client.activity$.subscribe(() => undefined)),
  'instrument, without an SDK': (baseUrl) => watched(baseUrl, instrumented),
  'instrument, spans that are dropped': (baseUrl) =>
    watched(baseUrl, async (client) => {
      const { NodeTracerProvider } = await import('@opentelemetry/sdk-trace-node');
      new NodeTracerProvider().register();
      return instrumented(client);
    }),
};

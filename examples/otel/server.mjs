/** Spans of a job on the console, by OpenTelemetry. Start it with `npm run example -- otel`. */
import { context, trace } from '@opentelemetry/api';
import { ConsoleSpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { firstValueFrom } from 'rxjs';
import { runpod } from 'runpod-rx';
import { instrument } from 'runpod-rx/otel';

const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new ConsoleSpanExporter())] });
provider.register();

const client = runpod();
const tracer = trace.getTracer('orders');
instrument(client, { tracer });

// The order's span is the parent of the job's, and that is the parent of the requests'.
const order = tracer.startSpan('order 4711');
const endpoint = client.endpoint(process.env.ENDPOINT_ID ?? 'my-endpoint');
const job = context.with(trace.setSpan(context.active(), order), () =>
  endpoint.job({ input: { prompt: 'a lighthouse' } }, { tag: 'order-4711' }),
);
console.log(await firstValueFrom(job.output$));
order.end();

await firstValueFrom(client.close());
await provider.shutdown();
process.exit();

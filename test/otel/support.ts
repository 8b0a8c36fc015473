import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context, trace } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-node';
import { onTestFinished } from 'vitest';

/** The real SDK, which keeps the spans in memory. */
export function tracing({ instrumented = false } = {}) {
  const exporter = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const contexts = new AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(contexts);
  trace.setGlobalTracerProvider(provider);
  const stop = instrumented
    ? registerInstrumentations({
        instrumentations: [new UndiciInstrumentation(), new HttpInstrumentation()],
        tracerProvider: provider,
      })
    : () => undefined;
  onTestFinished(() => {
    stop();
    contexts.disable();
    context.disable();
    trace.disable();
  });
  const tracer = provider.getTracer('test');
  return {
    tracer,
    spans: () => exporter.getFinishedSpans(),
    /** Runs a function in a span, which ends at once: the parent of what comes of it. */
    as: <T>(name: string, act: () => T): T => {
      const span = tracer.startSpan(name);
      span.end();
      return context.with(trace.setSpan(context.active(), span), act);
    },
  };
}

/** The names of a span's parents, the nearest first. */
export function parentsOf(span: ReadableSpan, spans: readonly ReadableSpan[]): readonly string[] {
  const parent = spans.find((one) => one.spanContext().spanId === span.parentSpanContext?.spanId);
  if (parent) return [parent.name, ...parentsOf(parent, spans)];
  return span.parentSpanContext ? ['missing'] : [];
}

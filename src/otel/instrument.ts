import type { Meter, Tracer } from '@opentelemetry/api';
import { Subscription, type Unsubscribable } from 'rxjs';
import { reportUnhandled } from '../errors/reportUnhandled.js';
import { assertOptions } from '../errors/invalidOptions.js';
import type { Activity, Runpod } from '../index.js';
import { having, type Checks } from '../protocol/checkOptions.js';
import { JobMetrics } from './JobMetrics.js';
import { JobTracer } from './JobTracer.js';

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /**
   * Makes the spans, such as `trace.getTracer('my-application')` of `@opentelemetry/api`.
   * @defaultValue no spans
   */
  readonly tracer?: Tracer;
  /**
   * Makes the metrics, such as `metrics.getMeter('my-application')`.
   * @defaultValue no metrics
   */
  readonly meter?: Meter;
}

const OPTIONS: Checks<InstrumentOptions> = {
  tracer: having('a Tracer of @opentelemetry/api', 'startSpan'),
  meter: having('a Meter of @opentelemetry/api', 'createCounter', 'createHistogram'),
};

/**
 * Traces and measures what a client does, by OpenTelemetry.
 *
 * ```ts
 * instrument(client, { tracer: trace.getTracer('orders'), meter: metrics.getMeter('orders') });
 * ```
 *
 * A job has one span, from its submission to its end, whose parent is what is active where `job()`, `run()` or another method is
 * called. It does not matter who subscribes, or whose timer reads the job. Requests are its children: by the
 * instrumentation of undici or `http` where one is on, and otherwise by spans of this function.
 *
 * Unsubscribing ends it, and the spans that are open; so does closing the client, once its cancels are settled. Throws
 * `ConfigurationError` for options that cannot work.
 */
export function instrument(client: Runpod, options: InstrumentOptions): Unsubscribable {
  assertOptions('instrument', options, OPTIONS);
  const { tracer, meter } = options;
  const all = new Subscription();
  const listen = (next: (event: Activity) => void) => {
    all.add(client.activity$.subscribe({ next, error: reportUnhandled }));
  };
  if (meter) {
    const metrics = new JobMetrics(meter);
    listen((event) => {
      metrics.record(event);
    });
  }
  if (tracer) {
    const traces = new JobTracer(tracer);
    all.add(client.aroundSend((request, send) => traces.send(request, send)));
    all.add(client.calls$.subscribe({ next: (origin) => traces.called(origin), error: reportUnhandled }));
    listen((event) => {
      traces.record(event);
    });
    all.add(() => {
      traces.end();
    });
    // The activity completes once the cancels of a closed client are settled.
    all.add(client.activity$.subscribe({ complete: () => all.unsubscribe(), error: reportUnhandled }));
  }
  return all;
}

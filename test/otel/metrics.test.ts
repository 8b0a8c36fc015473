import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { expect, onTestFinished, test } from 'vitest';
import { instrument } from 'runpod-rx/otel';
import { world } from '../support/world.js';

test('jobs, their times, requests, waits, errors and cancels, by few attributes', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  onTestFinished(() => provider.shutdown());
  const made = world({}, { limits: { run: { requests: 2, per: 5_000 } } });
  instrument(made.client, { meter: provider.getMeter('test') });
  made.see(made.endpoint.job({ input: { ms: 10_000 } }, { tag: 'mine' }).output$);
  const abandoned = made.see(made.endpoint.job({ input: { ms: 100_000 } }).state$);
  made.see(made.endpoint.job({ input: { ms: 1_000 } }).output$);
  made.see(made.endpoint.status('unknown'));
  made.until(8_000);
  abandoned.subscription.unsubscribe();
  made.until(60_000);
  await reader.forceFlush();
  const metrics = exporter.getMetrics()[0]!.scopeMetrics[0]!.metrics;
  const points = Object.fromEntries(
    metrics.map(({ descriptor, dataPointType, dataPoints }) => [
      descriptor.name,
      dataPoints.map(({ attributes, value }) => [
        Object.values(attributes).join(' '),
        dataPointType === DataPointType.HISTOGRAM ? (value as { count: number }).count : value,
      ]),
    ]),
  );
  expect(points).toMatchObject({
    'runpod.jobs': expect.arrayContaining([
      ['demo COMPLETED', 2],
      ['demo CANCELLED', 1],
    ]),
    'runpod.job.queue_time': expect.arrayContaining([['demo COMPLETED', 2]]),
    'runpod.job.execution_time': expect.arrayContaining([['demo COMPLETED', 2]]),
    'runpod.request.duration': expect.arrayContaining([
      ['demo run 200', 3],
      ['demo cancel 200', 1],
    ]),
    'runpod.waits': [['demo run', 1]],
    'runpod.cancels': [['demo cancelled', 1]],
    'runpod.errors': [['demo status job_not_found', 1]],
  });
  expect(JSON.stringify(points)).not.toMatch(/mine|job-/);
});

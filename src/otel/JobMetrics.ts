import type { Attributes, Meter } from '@opentelemetry/api';
import type { Activity } from '../index.js';
import { ATTR, OWN } from './attributes.js';

/** Bounds of histograms, in seconds: a job may wait and run for milliseconds, or for hours. */
const JOB_BOUNDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
const REQUEST_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Measures what a client does. Attributes have few values: no ids of jobs, no tags. */
export class JobMetrics {
  readonly #meter: Meter;
  readonly #jobs;
  readonly #queueTime;
  readonly #executionTime;
  readonly #requests;
  readonly #waits;
  readonly #cancels;
  readonly #failures;

  constructor(meter: Meter) {
    this.#meter = meter;
    this.#jobs = meter.createCounter('runpod.jobs', {
      unit: '{job}',
      description: 'Jobs that are over, by their status.',
    });
    this.#queueTime = this.#seconds('runpod.job.queue_time', 'How long jobs waited in the queue.', JOB_BOUNDS);
    this.#executionTime = this.#seconds('runpod.job.execution_time', 'How long jobs ran.', JOB_BOUNDS);
    this.#requests = this.#seconds('runpod.request.duration', 'Requests, by operation and status.', REQUEST_BOUNDS);
    this.#waits = meter.createCounter('runpod.waits', {
      unit: '{call}',
      description: 'Calls that waited for their turn within the limits.',
    });
    this.#cancels = meter.createCounter('runpod.cancels', {
      unit: '{cancel}',
      description: 'Cancels of jobs that nobody waited for any more, by their outcome.',
    });
    this.#failures = meter.createCounter('runpod.errors', {
      unit: '{call}',
      description: 'Calls that failed, by code.',
    });
  }

  /** Counts an activity. */
  record(event: Activity): void {
    const endpoint = { [ATTR.destination]: event.endpointId };
    const operation = { ...endpoint, [OWN.operation]: event.operation };
    switch (event.type) {
      case 'reply':
        this.#requests.record(event.duration / 1000, { ...operation, [ATTR.httpStatus]: event.status });
        break;
      case 'failure':
        this.#requests.record(event.duration / 1000, { ...operation, [ATTR.errorType]: 'connection' });
        break;
      case 'error':
        this.#failures.add(1, { ...operation, [ATTR.errorType]: event.code });
        break;
      case 'wait':
        this.#waits.add(1, operation);
        break;
      case 'cancel':
        if (event.outcome !== 'started') this.#cancels.add(1, { ...endpoint, [OWN.outcome]: event.outcome });
        break;
      case 'ended': {
        const attributes: Attributes = { ...endpoint, [OWN.status]: event.status };
        this.#jobs.add(1, attributes);
        if (event.queueTime !== undefined) this.#queueTime.record(event.queueTime / 1000, attributes);
        if (event.executionTime !== undefined) this.#executionTime.record(event.executionTime / 1000, attributes);
        break;
      }
      default:
        break;
    }
  }

  #seconds(name: string, description: string, explicitBucketBoundaries: number[]) {
    return this.#meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } });
  }
}

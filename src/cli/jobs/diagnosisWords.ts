import type { Diagnosis } from '../../index.js';

/** Why a job waits, in words. */
export function diagnosisWords(diagnosis: Diagnosis): string {
  switch (diagnosis.reason) {
    case 'queued-behind':
      return `${diagnosis.queued} in the queue, ${diagnosis.running} at work`;
    case 'cold-start':
      return 'a worker is starting';
    case 'throttled':
      return 'no GPU is free at the moment';
    case 'unhealthy':
      return 'the workers do not start: look at their logs';
    case 'no-workers':
      return 'there is no worker: check the endpoint’s settings';
    case 'starting':
      return 'about to start';
    default:
      return '';
  }
}

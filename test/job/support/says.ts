import type { Answer } from '../../support/world.js';

/** The answer of a scripted service about its only job. */
export function says(status: string, more: object = {}, after = 0): Answer {
  return { body: { id: 'job-1', status, ...more }, after };
}

/** The status of a job that runs until it is cancelled, as the answer to an operation has it. */
export function running(operation: string): string {
  return operation === 'run' ? 'IN_QUEUE' : operation === 'cancel' ? 'CANCELLED' : 'IN_PROGRESS';
}

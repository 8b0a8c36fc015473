import type { Answer } from '../../support/world.js';

/** What a scripted service says of the only job there is. */
export function says(status: string, more: object = {}, after = 0): Answer {
  return { body: { id: 'job-1', status, ...more }, after };
}

/** What it says, by what it is asked, of a job that runs until it is cancelled. */
export function running(operation: string): string {
  return operation === 'run' ? 'IN_QUEUE' : operation === 'cancel' ? 'CANCELLED' : 'IN_PROGRESS';
}

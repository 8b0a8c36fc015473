import type { WireStatus } from '../emulator/index.js';
import { element } from './dom.js';

const COLOURS: Readonly<Record<WireStatus, string>> = {
  IN_QUEUE: '',
  IN_PROGRESS: 'blue',
  COMPLETED: 'green',
  FAILED: 'red',
  CANCELLED: 'amber',
  TIMED_OUT: 'red',
};

/** All statuses, in the order of a job's life. */
export const STATUSES = Object.keys(COLOURS) as readonly WireStatus[];

/** A status in words. */
export function statusWords(status: string): string {
  return status.toLowerCase().replaceAll('_', ' ');
}

/** A job's status, in its colour. */
export function statusTag(status: string): HTMLElement {
  const colour = COLOURS[status as WireStatus] as string | undefined;
  return element('span', { class: `tag ${colour ?? ''}` }, statusWords(status));
}

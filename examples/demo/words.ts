import { tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { EndpointHealth, JobSnapshot } from 'runpod-rx';
import type { Screen } from './Screen.js';

export function seconds(ms = 0): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Writes a line when a job's status changes. Passes all snapshots on. */
export function showStates<O>(screen: Screen): MonoTypeOperatorFunction<JobSnapshot<O>> {
  let last = '';
  return tap((snapshot) => {
    if (snapshot.status === last) return;
    last = snapshot.status;
    screen.line(`  ${stateOf(screen, snapshot)}  ${about(snapshot)}`.trimEnd());
  });
}

function stateOf(screen: Screen, { status, rawStatus }: JobSnapshot): string {
  const colour = status === 'COMPLETED' ? 'green' : status === 'FAILED' || status === 'TIMED_OUT' ? 'red' : 'yellow';
  return screen.style(rawStatus.padEnd(11), colour);
}

function about(snapshot: JobSnapshot): string {
  switch (snapshot.status) {
    case 'IN_QUEUE':
      return `job ${snapshot.id}`;
    case 'IN_PROGRESS':
      return `after ${seconds(snapshot.delayTime)} in the queue, on worker ${snapshot.workerId ?? '?'}`;
    case 'COMPLETED':
    case 'FAILED':
      return `after ${seconds(snapshot.executionTime)} of execution`;
    case 'CANCELLED':
    case 'TIMED_OUT':
    case 'UNKNOWN':
      return '';
  }
}

/** Gives an endpoint's health as one line. */
export function healthWords({ jobs, workers }: EndpointHealth): string {
  return [
    `${jobs.completed} completed, ${jobs.failed} failed, ${jobs.inProgress} in progress, ${jobs.inQueue} in the queue`,
    `workers: ${workers.idle} idle, ${workers.running} running`,
  ].join(' · ');
}

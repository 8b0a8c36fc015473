import type { CodedError, Diagnosis } from 'runpod-rx';
import type { JobStatus } from 'runpod-rx/angular';

/** What went wrong, and what to do about it, for somebody who knows nothing of jobs. */
export function errorWords(error: CodedError): string {
  switch (error.code) {
    case 'job_failed':
      return `The worker gave up: ${error.snapshot.error.message}.`;
    case 'job_timed_out':
    case 'job_deadline':
      return 'It took too long and was stopped. Try something smaller.';
    case 'job_expired':
    case 'job_not_found':
      return 'The result is not kept any more. Run it again.';
    case 'rate_limit':
      return 'Too many requests at once. Wait a moment, then try again.';
    case 'authentication':
      return 'You are signed out. Sign in, and run it again.';
    case 'submission_unknown':
      return 'The connection broke while it was sent. It may be running all the same.';
    case 'connection':
    case 'request_timeout':
      return 'The server cannot be reached. Check your connection.';
    case 'validation':
      return `That cannot be sent: ${error.message}.`;
    default:
      return `Something went wrong (${error.code}).`;
  }
}

/** Why a job waits. */
export function waitingWords(diagnosis: Diagnosis | undefined): string {
  switch (diagnosis?.reason) {
    case 'queued-behind':
      return `In the queue, ${queueWords(diagnosis.queued - 1)}; ${diagnosis.running === 1 ? 'the worker is' : `${diagnosis.running} workers are`} busy`;
    case 'cold-start':
      return 'A worker is starting';
    case 'starting':
      return 'About to start';
    case 'throttled':
      return 'No GPU is free at the moment';
    case 'no-workers':
      return 'Waiting for a worker';
    case 'unhealthy':
      return 'The workers do not start';
    default:
      return 'Waiting';
  }
}

/** How many other jobs wait. */
function queueWords(others: number): string {
  if (others <= 0) return 'and next';
  return others === 1 ? 'with one other' : `with ${others} others`;
}

export function statusWords(status: JobStatus): string {
  const words: Record<JobStatus, string> = {
    idle: 'Ready',
    submitting: 'Sending',
    queued: 'Queued',
    running: 'Running',
    done: 'Done',
    failed: 'Failed',
    cancelled: 'Cancelled',
  };
  return words[status];
}

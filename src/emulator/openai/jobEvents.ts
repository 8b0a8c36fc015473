import { defer, map, repeat, takeWhile } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { hold } from '../model/hold.js';
import type { JobModel } from '../model/JobModel.js';
import { shownOver } from '../model/jobBody.js';
import { valueOf, writeJson } from '../model/relayed.js';

const DONE = 'data: [DONE]\n\n';

/**
 * Emits the chunks of a job as server-sent events as they arrive, and `[DONE]` at the end. A chunk that is a string is
 * passed on unchanged, since vLLM's worker yields finished events. If the job fails, the failure is the last event.
 */
export function jobEvents(job: JobModel, scheduler: SchedulerLike): Observable<string> {
  let done = false;
  const ready = (): boolean => job.chunks.waiting > 0 || shownOver(job);
  return defer(() => hold(job, ready, 0, scheduler)).pipe(
    map(() => {
      const text = job.chunks.drain().map(eventOf).join('');
      const over = shownOver(job) && job.chunks.waiting === 0;
      done ||= text.includes(DONE.trimEnd());
      return { text: over ? text + endOf(job, done) : text, over };
    }),
    repeat(),
    takeWhile(({ over }) => !over, true),
    map(({ text }) => text),
  );
}

function endOf(job: JobModel, done: boolean): string {
  if (job.status !== 'COMPLETED') return eventOf(failureOf(job));
  return done ? '' : DONE;
}

function eventOf(chunk: unknown): string {
  return typeof chunk === 'string' ? chunk : `data: ${writeJson(chunk)}\n\n`;
}

/** The failure of a job in OpenAI's error format, as vLLM's worker gives it. */
export function failureOf(job: JobModel): { readonly error: unknown } {
  const { error } = job.report;
  const said = valueOf(error);
  if (typeof said === 'object' && said !== null) return { error };
  const message = typeof error === 'string' ? error : `the job is ${job.status}`;
  return { error: { message, type: 'worker_error', code: null } };
}

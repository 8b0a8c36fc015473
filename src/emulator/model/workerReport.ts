import type { WorkerReport } from './JobModel.js';

/** A value as it arrives after a trip over the wire; throws where JSON cannot hold it. */
export function plain(value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : JSON.parse(text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a result or a chunk says that the job failed. */
export function saysError(value: unknown): value is { readonly error: unknown } {
  return isObject(value) && Boolean(value.error);
}

/**
 * What the worker SDK posts for what a handler returned: a truthy `error` fails the job and the other members are its
 * output; a falsy `error` and `refresh_worker` are taken out; nothing left is no output.
 */
export function workerReport(returned: unknown): WorkerReport {
  const value = plain(returned);
  if (value === undefined) return {};
  if (!isObject(value)) return { output: value };
  const { error, refresh_worker: _, ...rest } = value;
  const output = Object.keys(rest).length > 0 ? rest : undefined;
  return error ? { error, output } : { output };
}

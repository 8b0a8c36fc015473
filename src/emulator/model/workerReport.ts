import type { WorkerReport } from './JobModel.js';

/** A value as JSON carries it. Throws if JSON cannot hold the value. */
export function plain(value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? undefined : JSON.parse(text);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a result or a chunk has a truthy `error`, which fails the job. */
export function saysError(value: unknown): value is { readonly error: unknown } {
  return isObject(value) && Boolean(value.error);
}

/**
 * The worker SDK's report for a handler's result. A truthy `error` fails the job, and the other members are its output. A
 * falsy `error` and `refresh_worker` are removed. An object without other members is no output.
 */
export function workerReport(returned: unknown): WorkerReport {
  const value = plain(returned);
  if (value === undefined) return {};
  if (!isObject(value)) return { output: value };
  const { error, refresh_worker: _, ...rest } = value;
  const output = Object.keys(rest).length > 0 ? rest : undefined;
  return error ? { error, output } : { output };
}

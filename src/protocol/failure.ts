import type { JobFailure } from '../types/JobFailure.js';
import { isRecord, parseJson } from './json.js';
import { messageOf } from './message.js';

const FIELDS = [
  ['type', 'error_type'],
  ['traceback', 'error_traceback'],
  ['hostname', 'hostname'],
  ['workerId', 'worker_id'],
  ['runpodVersion', 'runpod_version'],
] as const satisfies readonly (readonly [keyof JobFailure, string])[];

/**
 * Reads the `error` of a job from every form seen: JSON in a string (an exception in a handler), an object, the
 * `handler: … traceback: …` of a failed generator, a provider's JSON behind a few words, plain words, or nothing.
 */
export function parseFailure(raw: unknown): JobFailure {
  const value = typeof raw === 'string' && raw.trim().startsWith('{') ? (parseJson(raw) ?? raw) : raw;
  if (isRecord(value)) {
    const failure: Record<string, unknown> = { message: messageOf(value) ?? JSON.stringify(value), raw };
    for (const [key, field] of FIELDS) {
      if (typeof value[field] === 'string') failure[key] = value[field].replace(/^<class '(.*)'>$/, '$1');
    }
    // Each field of the list is a string member of JobFailure.
    return failure as unknown as JobFailure;
  }
  if (typeof value !== 'string' || !value.trim()) {
    return { message: 'the worker gave no reason', raw };
  }
  const generator = /^handler: ([\s\S]*?)\s*\ntraceback: ([\s\S]*)$/.exec(value);
  if (generator) return { message: generator[1] ?? '', traceback: generator[2] ?? '', raw };
  const nested = /^([^{]*?)[\s,:]*(\{[\s\S]*\})\s*$/.exec(value);
  const inner = nested && messageOf(parseJson(nested[2] ?? ''));
  return { message: inner ? `${nested[1] ?? ''}: ${inner}` : value.trim(), raw };
}

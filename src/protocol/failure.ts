import type { JobFailure } from '../types/JobFailure.js';
import { isRecord, parseJson } from './json.js';
import { messageOf } from './message.js';

/** The members of `JobFailure` and the fields of the service's JSON that they are read from. */
const FIELDS = {
  type: 'error_type',
  traceback: 'error_traceback',
  hostname: 'hostname',
  workerId: 'worker_id',
  runpodVersion: 'runpod_version',
} as const satisfies Partial<Record<keyof JobFailure, string>>;

/**
 * Reads the `error` of a job. It has been seen in these forms: JSON in a string (an exception in a handler), an object,
 * `handler: … traceback: …` (a failed generator), a provider's JSON after a few words, plain words, and nothing.
 */
export function parseFailure(raw: unknown): JobFailure {
  const text = typeof raw === 'string' ? raw : '';
  const value = text ? parseJson(text) : raw;
  if (isRecord(value)) {
    const failure: Record<string, unknown> = { message: messageOf(value) ?? JSON.stringify(value), raw };
    for (const [key, field] of Object.entries(FIELDS)) {
      const words = value[field];
      if (typeof words === 'string') failure[key] = words.replace(/^<class '(.*)'>$/, '$1');
    }
    // `message` and `raw` are set, and every name in FIELDS is a string member of JobFailure.
    return failure as unknown as JobFailure;
  }
  const [, generator, traceback] = /^handler: (.*?)\s*\ntraceback: (.*)$/s.exec(text) ?? [];
  if (generator !== undefined && traceback !== undefined) return { message: generator, traceback, raw };
  const [, words = '', json = ''] = /^([^{]*?)[\s,:]*(\{.*\})\s*$/s.exec(text) ?? [];
  const inner = messageOf(parseJson(json));
  return { message: inner ? `${words}: ${inner}` : text.trim() || 'the worker gave no reason', raw };
}

import type { JobFailure } from '../types/JobFailure.js';
import { isRecord, parseJson } from './json.js';
import { messageOf } from './message.js';

/**
 * Reads the `error` of a job from every form seen: JSON in a string (an exception in a handler), an object, the
 * `handler: … traceback: …` of a failed generator, a provider's JSON behind a few words, plain words, or nothing.
 */
export function parseFailure(raw: unknown): JobFailure {
  const value = typeof raw === 'string' && raw.trim().startsWith('{') ? (parseJson(raw) ?? raw) : raw;
  if (isRecord(value)) {
    return {
      message: messageOf(value) ?? JSON.stringify(value),
      ...text('type', value.error_type, /^<class '(.*)'>$/),
      ...text('traceback', value.error_traceback),
      ...text('hostname', value.hostname),
      ...text('workerId', value.worker_id),
      ...text('runpodVersion', value.runpod_version),
      raw,
    };
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

function text(key: string, value: unknown, inner?: RegExp): Record<string, string> {
  return typeof value === 'string' ? { [key]: inner?.exec(value)?.[1] ?? value } : {};
}

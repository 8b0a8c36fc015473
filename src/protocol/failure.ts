import type { JobFailure } from '../types/JobFailure.js';
import { isRecord, parseJson } from './json.js';
import { MAX_ERROR_TEXT, messageOf } from './message.js';
import { clip, clipLines } from './text.js';

/** The longest `message`, `traceback` and other member of a failure, in characters. `raw` has the whole. */
const MAX_MESSAGE = 1000;
const MAX_TRACEBACK = 16_000;
const MAX_NAME = 200;

/** How many members of an object without words are shown, and how deep. */
const MAX_SHOWN = 10;
const MAX_SHOWN_DEPTH = 2;

/** The members of `JobFailure` and the fields of the service's JSON that they are read from. */
const FIELDS = {
  type: 'error_type',
  traceback: 'error_traceback',
  hostname: 'hostname',
  workerId: 'worker_id',
  runpodVersion: 'runpod_version',
} as const satisfies Partial<Record<keyof JobFailure, string>>;

/** What begins the error of a generator that failed, and what stands between its words and its traceback. */
const GENERATOR = 'handler: ';
const TRACEBACK = '\ntraceback: ';

/** Python's way to write a class. */
const CLASS_BEGIN = "<class '";
const CLASS_END = "'>";

/**
 * Reads the `error` of a job. It has been seen in these forms: JSON in a string (an exception in a handler), an object,
 * `handler: … traceback: …` (a failed generator), a provider's JSON after a few words, plain words, and nothing.
 */
export function parseFailure(raw: unknown): JobFailure {
  const text = typeof raw === 'string' ? raw : '';
  const value = text ? parseError(text) : raw;
  if (isRecord(value)) return failureOfObject(value, raw);
  const { words, traceback } = splitTraceback(text);
  const message = clip(traceback === undefined ? withInnerWords(words) : words, MAX_MESSAGE);
  return {
    message: message || 'the worker gave no reason',
    ...(traceback !== undefined && { traceback: clipLines(traceback, MAX_TRACEBACK) }),
    raw,
  };
}

function failureOfObject(value: Readonly<Record<string, unknown>>, raw: unknown): JobFailure {
  const failure: Record<string, unknown> = { message: clip(messageOf(value) ?? jsonText(value), MAX_MESSAGE), raw };
  for (const [key, field] of Object.entries(FIELDS)) {
    const words = value[field];
    if (typeof words === 'string')
      failure[key] = key === 'traceback' ? clipLines(words, MAX_TRACEBACK) : clip(className(words), MAX_NAME);
  }
  // `message` and `raw` are set, and every name in FIELDS is a string member of JobFailure.
  return failure as unknown as JobFailure;
}

function parseError(text: string): unknown {
  return text.length <= MAX_ERROR_TEXT ? parseJson(text) : undefined;
}

/** The beginning of an object as JSON; other words where a parser of the caller's made an object that has no JSON. */
function jsonText(value: object): string {
  try {
    return JSON.stringify(beginningOf(value, 0));
  } catch {
    return 'an object that cannot be shown';
  }
}

/** A value with the first of its members, of their members, and so on for a few levels. */
function beginningOf(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.slice(0, MAX_MESSAGE);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_SHOWN_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, MAX_SHOWN).map((item) => beginningOf(item, depth + 1));
  const members = value as Readonly<Record<string, unknown>>;
  const names = Object.keys(members).slice(0, MAX_SHOWN);
  return Object.fromEntries(names.map((name) => [name, beginningOf(members[name], depth + 1)]));
}

function className(words: string): string {
  const isClass = words.startsWith(CLASS_BEGIN) && words.endsWith(CLASS_END);
  return isClass ? words.slice(CLASS_BEGIN.length, -CLASS_END.length) : words;
}

/** Splits the error of a generator that failed. Any other text has no traceback. */
function splitTraceback(text: string): { readonly words: string; readonly traceback?: string } {
  const at = text.startsWith(GENERATOR) ? text.indexOf(TRACEBACK, GENERATOR.length - 1) : -1;
  if (at < 0) return { words: text };
  return { words: text.slice(GENERATOR.length, at), traceback: text.slice(at + TRACEBACK.length) };
}

/** A text that ends with JSON, with the words of that JSON in its place. */
function withInnerWords(text: string): string {
  const whole = text.trim();
  const begin = whole.indexOf('{');
  const inner = begin >= 0 && whole.endsWith('}') ? messageOf(parseError(whole.slice(begin))) : undefined;
  return inner ? `${withoutSeparator(whole.slice(0, begin))}: ${inner}` : whole;
}

/** A text without the spaces, commas and colons at its end. */
function withoutSeparator(text: string): string {
  let end = text.length;
  while (end > 0 && /[\s,:]/.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

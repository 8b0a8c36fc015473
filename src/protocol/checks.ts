import type { JobRequest } from '../types/JobRequest.js';
import { isRecord } from './json.js';
import { EXECUTION_TIMEOUT, ID_PATTERN, MAX_RUN_BODY, MAX_RUNSYNC_BODY, MAX_TIMER, TTL, WAIT } from './limits.js';
import { utf8Length } from './utf8Length.js';

/** One thing that is wrong with the caller's request or options. */
export interface Issue {
  /** The field, such as `policy.ttl`. */
  readonly field: string;
  /** The value that was given, in a few words. */
  readonly given: string;
  /** What the field must be. */
  readonly rule: string;
}

/** An issue with a field, or none where the field is `ok`. */
export function must(ok: boolean, field: string, value: unknown, rule: string): Issue[] {
  return ok ? [] : [{ field, given: show(value), rule: `must ${rule}` }];
}

/** Checks that a field is absent, or a number of milliseconds within bounds. */
function checkRange(field: string, value: unknown, min: number, max: number): Issue[] {
  const ok = value === undefined || (typeof value === 'number' && value >= min && value <= max);
  return must(ok, field, value, `be a number of milliseconds from ${min} to ${max}`);
}

/** Checks durations by their names: a JavaScript timer must be able to keep them. */
export function checkDurations(durations: Readonly<Record<string, unknown>>): Issue[] {
  return Object.entries(durations).flatMap(([field, value]) => checkRange(field, value, 0, MAX_TIMER));
}

/** Checks how long the service is to hold an answer. */
export function checkWait(value: unknown, field = 'wait'): Issue[] {
  return checkRange(field, value, WAIT.min, WAIT.max);
}

/** Checks the options that say how a job is watched. */
export function checkWatch(options: Partial<Record<'every' | 'outage' | 'longPoll', unknown>>): Issue[] {
  const { every, outage, longPoll } = options;
  return [...checkDurations({ every, outage }), ...checkWait(longPoll, 'longPoll')];
}

/** Checks an id of an endpoint or a job. */
export function checkId(field: string, value: unknown): Issue[] {
  return must(
    typeof value === 'string' && ID_PATTERN.test(value),
    field,
    value,
    'consist of letters, digits, "-" and "_"',
  );
}

/** The issues in one sentence. */
export function issuesText(issues: readonly Issue[]): string {
  return issues.map(({ field, given, rule }) => `${field} is ${given}, but ${rule}`).join('; ');
}

/** Checks a submission and writes its body. The body is empty where the request cannot be written as JSON. */
export function jobBody(
  request: JobRequest<object>,
  operation: 'run' | 'runsync',
  { allowEmptyInput = false }: { readonly allowEmptyInput?: boolean | undefined } = {},
): { readonly body: string; readonly issues: readonly Issue[] } {
  const { input, policy = {} } = Object(request) as Partial<Record<'input' | 'policy', unknown>>;
  const limits = Object(policy) as Readonly<Record<string, unknown>>;
  const max = operation === 'run' ? MAX_RUN_BODY : MAX_RUNSYNC_BODY;
  let body = '';
  let empty = false;
  const issues = must(
    isPlain(input) && !('toJSON' in Object(request)),
    'input',
    input,
    'be a plain object, as in run({ input: { … } })',
  );
  try {
    body = JSON.stringify(Object(request));
    empty = JSON.stringify(input) === '{}';
  } catch (error) {
    issues.push(...must(false, 'input', error, 'be JSON'));
  }
  // A UTF-16 code unit takes at most three bytes of UTF-8, so most bodies need not be encoded to be measured.
  const size = body.length * 3 <= max ? 0 : utf8Length(body);
  issues.push(
    ...must(
      !empty || allowEmptyInput,
      'input',
      '{}',
      'not be empty: workers do not report such a job (allowEmptyInput sends it)',
    ),
    ...must(limits === policy, 'policy', policy, 'be an object'),
    ...checkRange('policy.executionTimeout', limits.executionTimeout, EXECUTION_TIMEOUT.min, EXECUTION_TIMEOUT.max),
    ...checkRange('policy.ttl', limits.ttl, TTL.min, TTL.max),
    ...must(size <= max, 'body', `${size} bytes`, `be at most ${max}: store large data elsewhere and send a URL`),
  );
  return { body, issues };
}

/** Whether a value is a plain object, such as `{ … }` makes. */
function isPlain(value: unknown): boolean {
  // A toJSON method could put anything into the body after these checks.
  if (!isRecord(value) || 'toJSON' in value) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  // An object of another realm, such as a frame, has that realm's Object.prototype; its prototype is null, too.
  return proto === null || Object.getPrototypeOf(proto) === null;
}

/** A value in a few words, for a message. */
function show(value: unknown): string {
  const kind = typeof value;
  if (kind === 'object' && value !== null && !(value instanceof Error)) return kindOf(value);
  // The text of a function would be its code.
  if (kind === 'function') return kindOf(value);
  return String(value).slice(0, 80) || 'empty';
}

/** What kind of value it is, in a message that must not quote it. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

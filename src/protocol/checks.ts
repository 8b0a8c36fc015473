import type { JobRequest } from '../types/JobRequest.js';
import { isRecord } from './json.js';
import { EXECUTION_TIMEOUT, ID_PATTERN, MAX_RUN_BODY, MAX_RUNSYNC_BODY, MAX_TIMER, TTL, WAIT } from './limits.js';

/** One thing wrong with what the caller gave. */
export interface Issue {
  /** The field, such as `policy.ttl`. */
  readonly field: string;
  /** What was given, in a few words. */
  readonly given: string;
  /** What it must be. */
  readonly rule: string;
}

/** The issue with a field, unless it is as it must be. */
export function must(ok: boolean, field: string, value: unknown, rule: string): Issue[] {
  return ok ? [] : [{ field, given: show(value), rule: `must ${rule}` }];
}

/** A number of milliseconds within bounds, or absent. */
function checkRange(field: string, value: unknown, min: number, max: number): Issue[] {
  const ok = value === undefined || (typeof value === 'number' && value >= min && value <= max);
  return must(ok, field, value, `be a number of milliseconds from ${min} to ${max}`);
}

/** Durations that a timer can keep, by name. */
export function checkDurations(durations: Readonly<Record<string, unknown>>): Issue[] {
  return Object.entries(durations).flatMap(([field, value]) => checkRange(field, value, 0, MAX_TIMER));
}

export function checkWait(value: unknown, field = 'wait'): Issue[] {
  return checkRange(field, value, WAIT.min, WAIT.max);
}

/** How a job is watched. */
export function checkWatch(options: Partial<Record<'every' | 'outage' | 'longPoll', unknown>>): Issue[] {
  const { every, outage, longPoll } = options;
  return [...checkDurations({ every, outage }), ...checkWait(longPoll, 'longPoll')];
}

export function checkId(field: string, value: unknown): Issue[] {
  return must(
    typeof value === 'string' && ID_PATTERN.test(value),
    field,
    value,
    'consist of letters, digits, "-" and "_"',
  );
}

/** The sentence that issues make. */
export function issuesText(issues: readonly Issue[]): string {
  return issues.map(({ field, given, rule }) => `${field} is ${given}, but ${rule}`).join('; ');
}

/** Checks a submission and writes its body, which is empty where there is no writing it. */
export function jobBody(
  request: JobRequest<object>,
  operation: 'run' | 'runsync',
  allowEmptyInput = false,
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
  // A unit of text is at most three bytes of UTF-8, so that most bodies need no counting.
  const size = body.length * 3 <= max ? 0 : new TextEncoder().encode(body).length;
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

function isPlain(value: unknown): boolean {
  // What toJSON makes of it would be sent unseen.
  if (!isRecord(value) || 'toJSON' in value) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  // An object of another realm has a prototype of its own, whose prototype is null as well.
  return proto === null || Object.getPrototypeOf(proto) === null;
}

/** A value in a few words, for a message. */
function show(value: unknown): string {
  const text = Array.isArray(value)
    ? 'an array'
    : isRecord(value) && !(value instanceof Error)
      ? 'an object'
      : String(value);
  return text.slice(0, 80) || 'empty';
}

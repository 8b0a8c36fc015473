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

type Check = Issue | undefined;

/** Keeps the issues of some checks. */
export function issuesOf(...checks: readonly Check[]): Issue[] {
  return checks.filter((check) => check !== undefined);
}

/** A number of milliseconds within bounds, or absent. */
export function checkRange(field: string, value: unknown, min: number, max: number): Check {
  if (value === undefined || (typeof value === 'number' && value >= min && value <= max)) return undefined;
  return { field, given: show(value), rule: `must be a number of milliseconds from ${min} to ${max}` };
}

/** Durations that a timer can keep, by name. */
export function checkDurations(durations: Readonly<Record<string, unknown>>): Issue[] {
  return issuesOf(...Object.entries(durations).map(([field, value]) => checkRange(field, value, 0, MAX_TIMER)));
}

export function checkWait(value: unknown): Check {
  return checkRange('wait', value, WAIT.min, WAIT.max);
}

export function checkId(field: string, value: unknown): Check {
  if (typeof value === 'string' && ID_PATTERN.test(value)) return undefined;
  return { field, given: show(value), rule: 'must consist of letters, digits, "-" and "_"' };
}

/** The sentence that the issues make. */
export function issuesText(issues: readonly Issue[]): string {
  return issues.map(({ field, given, rule }) => `${field} is ${given}, but ${rule}`).join('; ');
}

/** Checks a submission and writes its body, or says what is wrong with it. */
export function jobBody(
  request: JobRequest<object>,
  operation: 'run' | 'runsync',
  allowEmptyInput = false,
): { readonly body: string } | { readonly issues: readonly Issue[] } {
  const { input, policy = {} } = (isRecord(request) ? request : {}) as Partial<Record<'input' | 'policy', unknown>>;
  let text = '';
  let inputText = '';
  let unwritable: Check;
  try {
    text = JSON.stringify(request);
    inputText = JSON.stringify(input);
  } catch (error) {
    unwritable = {
      field: 'input',
      given: error instanceof Error ? error.message : String(error),
      rule: 'must be JSON',
    };
  }
  const max = operation === 'run' ? MAX_RUN_BODY : MAX_RUNSYNC_BODY;
  const limits = isRecord(policy) ? policy : {};
  const issues = issuesOf(
    isPlain(input)
      ? unwritable
      : { field: 'input', given: show(input), rule: 'must be a plain object, as in run({ input: { … } })' },
    inputText === '{}' && !allowEmptyInput
      ? {
          field: 'input',
          given: '{}',
          rule: 'must not be empty: workers do not report such a job (allowEmptyInput sends it)',
        }
      : undefined,
    limits === policy ? undefined : { field: 'policy', given: show(policy), rule: 'must be an object' },
    checkRange('policy.executionTimeout', limits.executionTimeout, EXECUTION_TIMEOUT.min, EXECUTION_TIMEOUT.max),
    checkRange('policy.ttl', limits.ttl, TTL.min, TTL.max),
    longerThan(text, max)
      ? {
          field: 'body',
          given: `${byteLength(text)} bytes`,
          rule: `must be at most ${max}: store large data elsewhere and send a URL`,
        }
      : undefined,
  );
  return issues.length ? { issues } : { body: text };
}

function isPlain(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  // An object of another realm has a prototype of its own, whose prototype is null as well.
  return proto === null || Object.getPrototypeOf(proto) === null;
}

/** Bytes of UTF-8 are at least as many as the string's units and at most three times as many. */
function longerThan(text: string, max: number): boolean {
  return text.length * 3 > max && byteLength(text) > max;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** A value in a few words, for a message. */
function show(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (typeof value === 'object' && value)
    return `an object (${(value.constructor as { name?: string } | undefined)?.name ?? 'no prototype'})`;
  return typeof value === 'function' ? 'a function' : String(value);
}

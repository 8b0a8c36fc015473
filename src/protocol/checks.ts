import type { JobRequest } from '../types/JobRequest.js';
import { isRecord } from './json.js';
import { EXECUTION_TIMEOUT, ID_PATTERN, MAX_RUN_BODY, MAX_RUNSYNC_BODY, MAX_TIMER, TTL, WAIT } from './limits.js';
import type { Parsed } from './Parsed.js';

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

/** A number within bounds, or absent. */
export function checkRange(field: string, value: unknown, { min, max }: { min: number; max: number }): Check {
  if (value === undefined || (typeof value === 'number' && value >= min && value <= max)) return undefined;
  return { field, given: show(value), rule: `must be a number of milliseconds from ${min} to ${max}` };
}

/** A duration that a timer can keep, or absent. */
export function checkDuration(field: string, value: unknown): Check {
  return checkRange(field, value, { min: 0, max: MAX_TIMER });
}

export function checkWait(value: unknown): Check {
  return checkRange('wait', value, WAIT);
}

export function checkId(field: string, value: unknown): Check {
  if (typeof value === 'string' && ID_PATTERN.test(value)) return undefined;
  return { field, given: show(value), rule: 'must consist of letters, digits, "-" and "_"' };
}

/** Checks a submission and writes its body, or says what is wrong with it. */
export function jobBody(
  request: JobRequest<object>,
  operation: 'run' | 'runsync',
  allowEmptyInput = false,
): { readonly body: string } | { readonly issues: readonly Issue[] } {
  if (!isRecord(request) || !isPlain(request.input)) {
    const given = isRecord(request) ? request.input : request;
    return {
      issues: [{ field: 'input', given: show(given), rule: 'must be a plain object, as in run({ input: { … } })' }],
    };
  }
  const policy: unknown = request.policy ?? {};
  if (!isRecord(policy)) return { issues: [{ field: 'policy', given: show(policy), rule: 'must be an object' }] };
  const written = write(request);
  if ('issue' in written) {
    return { issues: [{ field: 'input', given: written.issue, rule: 'must be JSON' }] };
  }
  const body = written.value;
  const max = operation === 'run' ? MAX_RUN_BODY : MAX_RUNSYNC_BODY;
  const issues = issuesOf(
    checkRange('policy.executionTimeout', policy.executionTimeout, EXECUTION_TIMEOUT),
    checkRange('policy.ttl', policy.ttl, TTL),
    allowEmptyInput || JSON.stringify(request.input) !== '{}'
      ? undefined
      : {
          field: 'input',
          given: '{}',
          rule: 'must not be empty: workers never report such a job (allowEmptyInput sends it all the same)',
        },
    longerThan(body, max)
      ? {
          field: 'body',
          given: `${byteLength(body)} bytes`,
          rule: `must be at most ${max} bytes for ${operation}: store large data elsewhere and send a URL`,
        }
      : undefined,
  );
  return issues.length ? { issues } : { body };
}

function write(value: unknown): Parsed<string> {
  try {
    return { value: JSON.stringify(value) };
  } catch (error) {
    return { issue: error instanceof Error ? error.message : String(error) };
  }
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

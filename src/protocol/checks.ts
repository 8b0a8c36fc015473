import { ID_PATTERN, JOB_ID_PATTERN } from './limits.js';

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

/** Checks an id of an endpoint. */
export function checkId(field: string, value: unknown): Issue[] {
  return must(
    typeof value === 'string' && ID_PATTERN.test(value),
    field,
    value,
    'consist of letters, digits, "-" and "_"',
  );
}

/** Whether a job can be asked for by this id. */
export function isJobId(value: unknown): value is string {
  return typeof value === 'string' && JOB_ID_PATTERN.test(value);
}

/** Checks an id of a job. */
export function checkJobId(field: string, value: unknown): Issue[] {
  return must(isJobId(value), field, value, 'consist of letters, digits and any of -_.~:@=+');
}

/** The issues in one sentence. */
export function issuesText(issues: readonly Issue[]): string {
  return issues.map(({ field, given, rule }) => `${field} is ${given}, but ${rule}`).join('; ');
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

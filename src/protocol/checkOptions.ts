import { kindOf, must, type Issue } from './checks.js';
import { didYouMean } from './didYouMean.js';
import { isPlain, isRecord } from './json.js';
import { MAX_TIMER } from './limits.js';

/**
 * Checks the value of one option, and names the option as it is told to. Is not called for an option that is absent or
 * `undefined`, unless it is `required`.
 */
export interface Check {
  (value: unknown, field: string): readonly Issue[];
  readonly required?: boolean;
}

/** A check for each option of an interface. The compiler misses the row of an option that is added later. */
export type Checks<T> = Readonly<Record<keyof T, Check>>;

/**
 * Everything that is wrong with given options: names that the table does not have, and values that its checks refuse. A
 * value under an unknown name is not quoted, nor is a text in place of the options: it may be a key.
 *
 * @param path - where the options stand in others, such as `timeout`
 */
export function checkOptions<T extends object>(given: unknown, checks: Checks<T>, path = ''): Issue[] {
  if (given === undefined) return checkOptions({}, checks, path);
  const place = path || 'options';
  if (typeof given === 'string') return [{ field: place, given: kindOf(given), rule: 'must be an object' }];
  if (!isRecord(given)) return must(false, place, given, 'be an object');
  const issues: Issue[] = [];
  let isListed = false;
  const fieldOf = (name: string) => (path ? `${path}.${name}` : name);
  // Inherited names count, too: options may be made from defaults by `Object.create`.
  for (const name in given) {
    if (given[name] === undefined || Object.hasOwn(checks, name)) continue;
    const meant = didYouMean(name, Object.keys(checks));
    // One list is enough: an object of a class, given by mistake, has many members.
    const list = isListed ? '' : `: there are ${Object.keys(checks).join(', ')}`;
    const hint = meant ? `: did you mean ${meant}?` : list;
    issues.push({ field: fieldOf(name.slice(0, 80)), given: kindOf(given[name]), rule: `is unknown${hint}` });
    isListed ||= !meant;
  }
  for (const name in checks) {
    const check = checks[name];
    const value = given[name];
    if (value !== undefined || check.required) issues.push(...check(value, fieldOf(name)));
  }
  return issues;
}

/**
 * Options as an object that can be copied. A copy of an object of a class, or of `Object.create(defaults)`, would lack what
 * is inherited, though it was checked.
 */
export function copyable<T extends object>(given: T, checks: Checks<T>): T {
  if (!isRecord(given) || isPlain(given)) return given;
  const names = Object.keys(checks);
  // Getters of a class are not listed; their names are known from the checks.
  for (const name in given) names.push(name);
  return Object.fromEntries(names.map((name) => [name, given[name]])) as T;
}

/** An option that must be given. */
export function required(check: Check): Check {
  return Object.assign((value: unknown, field: string) => check(value, field), { required: true });
}

/** A check by one condition. */
export function mustBe(rule: string, isFine: (value: unknown) => boolean): Check {
  return (value, field) => must(isFine(value), field, value, `be ${rule}`);
}

/** A number of milliseconds within bounds. */
export function durationBetween(min: number, max: number): Check {
  return mustBe(
    `a number of milliseconds from ${min} to ${max}`,
    (value) => typeof value === 'number' && value >= min && value <= max,
  );
}

/** A number of milliseconds that a JavaScript timer can keep. */
export const duration = durationBetween(0, MAX_TIMER);

/** A duration of any length; its owner shortens it to what a timer can keep. */
export const longDuration = mustBe(
  'a number of milliseconds of at least 0',
  (value) => typeof value === 'number' && value >= 0 && value < Infinity,
);

/** A duration, or `Infinity` for never. */
export const durationOrNever = mustBe(
  `a number of milliseconds from 0 to ${MAX_TIMER}, or Infinity`,
  (value) => typeof value === 'number' && value >= 0 && (value <= MAX_TIMER || value === Infinity),
);

/** A whole number of at least `min`. */
export function count(min: number): Check {
  return mustBe(`a whole number of at least ${min}`, (value) => isCount(value, min));
}

/** A whole number of at least `min`, or `Infinity` for any number. */
export function countOrInfinity(min: number): Check {
  return mustBe(`a whole number of at least ${min}, or Infinity`, (value) => value === Infinity || isCount(value, min));
}

function isCount(value: unknown, min: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= min;
}

export const flag = mustBe('true or false', (value) => typeof value === 'boolean');

export const text = mustBe('text', (value) => typeof value === 'string');

/** Text that is not quoted: it may be a key. */
export const secret: Check = (value, field) =>
  typeof value === 'string' ? [] : [{ field, given: kindOf(value), rule: 'must be text' }];

export const callback = mustBe('a function', (value) => typeof value === 'function');

/** An object whose members are the caller's own. */
export const record = mustBe('an object', isRecord);

/** Any value at all. */
export const anything: Check = () => [];

/** One text out of a list. */
export function oneOf<T extends string>(...values: readonly T[]): Check {
  const list = values.map((value) => `'${value}'`).join(' or ');
  return (value, field) => {
    const meant = typeof value === 'string' ? didYouMean(value, values) : undefined;
    const hint = meant ? `: did you mean '${meant}'?` : '';
    return must(values.includes(value as T), field, value, `be ${list}${hint}`);
  };
}

/** An object with the given methods, such as an observable (`subscribe`) or an observer (`next`). */
export function having(rule: string, ...methods: readonly string[]): Check {
  return mustBe(rule, (value) =>
    methods.every((name) => typeof (Object(value) as Record<string, unknown>)[name] === 'function'),
  );
}

export const observable = having('an Observable', 'subscribe');

export const observer = having('an observer, with a function next', 'next');

export const scheduler = having('a scheduler of RxJS', 'now', 'schedule');

export const signal = having('an AbortSignal', 'addEventListener', 'removeEventListener');

export const axios = having('an axios instance', 'request');

/** A schema of any library that implements Standard Schema; some libraries make functions of them. */
export const schema = mustBe('a schema that implements Standard Schema', (value) => {
  const { '~standard': standard } = Object(value) as { readonly '~standard'?: { readonly validate?: unknown } };
  return typeof standard?.validate === 'function';
});

/** Options within options. */
export function nested<T extends object>(checks: Checks<T>): Check {
  return (value, field) => checkOptions(value, checks, field);
}

/** One check for values of one type, and another for all others: a number or an object, for example. */
export function either(type: 'number' | 'string' | 'object' | 'function', check: Check, other: Check): Check {
  return (value, field) => (typeof value === type ? check : other)(value, field);
}

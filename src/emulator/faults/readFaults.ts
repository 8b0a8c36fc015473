import { didYouMean } from '../../protocol/didYouMean.js';
import { MAX_TIMER } from '../../protocol/limits.js';
import { faultNames } from './faultKinds.js';
import type { FaultName, FaultRule } from './FaultRule.js';
import { rulesOf } from './rulesOf.js';

type Check = readonly [fits: (value: unknown) => boolean, rule: string];

const atLeast = (value: unknown, least: number): boolean => Number.isFinite(value) && (value as number) >= least;
const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isInteger(value) && atLeast(value, 1);
const listOr =
  (fits: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) ? value.every(fits) : fits(value);

const DURATION: Check = [
  (value) => atLeast(value, 0) && (value as number) <= MAX_TIMER,
  `milliseconds, 0 or more, up to ${MAX_TIMER}`,
];
const COUNT: Check = [isCount, 'a whole number of at least 1'];
const TEXT: Check = [isText, 'text'];

/** Statuses whose answers have no body. */
const BODILESS: ReadonlySet<unknown> = new Set([204, 205, 304]);

/** A header's name and value as HTTP and Node's server carry them. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The emulator sets these itself, by the body that it sends. */
const FRAMING: ReadonlySet<string> = new Set(['content-length', 'transfer-encoding', 'trailer']);

const isHeaderValue = (value: unknown): boolean => isText(value) && HEADER_VALUE.test(value as string);

/** Why headers cannot be sent; `undefined` if they can. */
function wrongHeader(headers: Readonly<Record<string, unknown>>): string | undefined {
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) return `${JSON.stringify(name)} is no name of a header`;
    if (FRAMING.has(name.toLowerCase())) return `the emulator sets ${name} itself`;
    if (!isHeaderValue(value)) return `${name} holds a character that a header cannot have`;
  }
  return undefined;
}

function isJson(value: unknown): boolean {
  try {
    return typeof JSON.stringify(value) === 'string';
  } catch {
    return false;
  }
}

/** The checks of a rule's members. There is none for `when`, which is a function and cannot stand in JSON. */
const checks: Readonly<Record<Exclude<keyof FaultRule, 'fault' | 'when'>, Check>> = {
  on: [listOr(isText), 'an operation, or a list of operations'],
  endpoint: TEXT,
  nth: [listOr(isCount), 'a whole number of at least 1, or a list of such numbers'],
  probability: [(value) => atLeast(value, 0) && (value as number) <= 1, 'between 0 and 1'],
  times: [(value) => Number.isInteger(value) && atLeast(value, 0), 'a whole number, 0 or more'],
  burst: COUNT,
  after: DURATION,
  for: DURATION,
  jitter: DURATION,
  workers: COUNT,
  accepted: [(value) => typeof value === 'boolean', 'true or false'],
  retryAfter: [(value) => isHeaderValue(value) || atLeast(value, 0), 'seconds, or text that a header can have'],
  message: TEXT,
  status: [(value) => Number.isInteger(value) && atLeast(value, 200) && (value as number) <= 599, '200 to 599'],
  headers: [(value) => isObject(value) && Object.values(value).every(isText), 'an object of texts'],
  body: [isJson, 'text, or a value that JSON can hold'],
};

/**
 * Reads faults from parsed JSON: one rule, a list of rules, or an object by fault name. Throws a `TypeError` that names the
 * mistake and what is allowed.
 */
export function readFaults(value: unknown): readonly FaultRule[] {
  if (Array.isArray(value)) return value.map((rule) => checkRule(rule));
  if (!isObject(value)) throw new TypeError('faults: must be a rule, a list of rules, or an object of faults by name');
  if (Object.hasOwn(value, 'fault')) return [checkRule(value)];
  return Object.entries(value).flatMap(([name, details]) => {
    const fault = nameOf(name);
    // `details` may be a number, a probability, or of any other type: `checkRule` checks the resulting rule.
    return rulesOf({ [fault]: details as number }).map((rule) => checkRule(rule));
  });
}

/**
 * Checks a rule that code gives, which may have a `when`. Throws a `TypeError` as {@link readFaults} does. The members with
 * the value `undefined` count as absent.
 */
export function checkFault(value: unknown): FaultRule {
  if (!isObject(value)) return checkRule(value);
  const { when, ...rest } = value;
  if (when !== undefined && typeof when !== 'function') {
    throw new TypeError(`${nameOf(rest.fault)}.when: must be a function`);
  }
  const present = Object.fromEntries(Object.entries(rest).filter(([, member]) => member !== undefined));
  return { ...checkRule(present), ...(when && { when: when as NonNullable<FaultRule['when']> }) };
}

function checkRule(value: unknown): FaultRule {
  if (!isObject(value)) throw new TypeError('a fault: must be an object with a member `fault`');
  const fault = nameOf(value.fault);
  for (const [name, given] of Object.entries(value)) {
    if (name === 'fault') continue;
    const check = Object.hasOwn(checks, name) ? checks[name as keyof typeof checks] : undefined;
    if (!check) throw new TypeError(`${fault}: there is no "${name}"; there is ${Object.keys(checks).join(', ')}`);
    if (!check[0](given)) throw new TypeError(`${fault}.${name}: must be ${check[1]}`);
  }
  const wrong = isObject(value.headers) ? wrongHeader(value.headers) : undefined;
  if (wrong !== undefined) throw new TypeError(`${fault}.headers: ${wrong}`);
  if (BODILESS.has(value.status) && value.body !== undefined && value.body !== '') {
    throw new TypeError(`${fault}.body: an answer with the status ${String(value.status)} has none`);
  }
  return value as unknown as FaultRule; // every member was checked
}

function nameOf(value: unknown): FaultName {
  const name = faultNames.find((known) => known === value);
  if (!name) {
    const meant = typeof value === 'string' ? didYouMean(value, faultNames) : undefined;
    const hint = meant === undefined ? '' : ` (did you mean "${meant}"?)`;
    throw new TypeError(`there is no fault ${JSON.stringify(value)}${hint}; there is ${faultNames.join(', ')}`);
  }
  return name;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

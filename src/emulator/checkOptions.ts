import {
  callback,
  checkOptions,
  count,
  countOrInfinity,
  either,
  flag,
  mustBe,
  nested,
  oneOf,
  record,
  required,
  scheduler,
  text,
  type Check,
  type Checks,
} from '../protocol/checkOptions.js';
import { issuesText } from '../protocol/checks.js';
import { ID_PATTERN } from '../protocol/limits.js';
import type { OperationLimits } from '../types/Limits.js';
import type { EmulatedEndpoint, EmulatorOptions, Variants, WorkerOptions } from './EmulatorOptions.js';
import type { WebhookOptions } from './webhooks/WebhookOptions.js';

/** A duration of any length: the emulator keeps delays that are longer than a timer of JavaScript. */
const duration = mustBe('a number of milliseconds, 0 or more', (value) => isDuration(value) && value !== Infinity);
const durationOrNever = mustBe('a number of milliseconds, 0 or more, or Infinity for never', isDuration);

function isDuration(value: unknown): boolean {
  return typeof value === 'number' && value >= 0;
}

function listOf(rule: string, fits: (item: unknown) => boolean): Check {
  return mustBe(rule, (value) => Array.isArray(value) && value.every(fits));
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isObject = (value: unknown): value is Record<string, unknown> => record(value, '').length === 0;

const WORKERS: Checks<WorkerOptions> = {
  max: countOrInfinity(0),
  min: count(0),
  concurrency: countOrInfinity(1),
  idleTimeout: durationOrNever,
};

const ENDPOINT: Checks<EmulatedEndpoint> = {
  handler: callback,
  stream: flag,
  aggregate: flag,
  workers: either('object', nested(WORKERS), countOrInfinity(0)),
  coldStart: durationOrNever,
  executionTimeout: durationOrNever,
  killLag: durationOrNever,
  lostAfter: durationOrNever,
  retention: nested<NonNullable<EmulatedEndpoint['retention']>>({ run: durationOrNever, runsync: durationOrNever }),
  region: mustBe('text of letters, digits, - and _', (value) => value === '' || ID_PATTERN.test(String(value))),
};

const LIMITS: Checks<OperationLimits> = {
  requests: count(0),
  per: mustBe('a number of milliseconds above 0', (value) => isDuration(value) && value !== 0),
  concurrent: count(0),
  perWorker: count(0),
};

const VARIANTS: Checks<Variants> = {
  expired: oneOf('gone', 'timed-out'),
  purged: oneOf('gone', 'cancelled'),
  wait: oneOf('clamp', 'reject'),
  cancelEnded: oneOf('state', 'not-found'),
  cancelled: oneOf('bare', 'full'),
  streamed: oneOf('empty', 'absent'),
  failed: oneOf('ok', 'bad-request'),
};

const WEBHOOKS: Checks<WebhookOptions> = {
  send: callback,
  allow: mustBe('true, or a list of hosts', (value) => value === true || (Array.isArray(value) && value.every(isText))),
  pauses: listOf('a list of milliseconds, each 0 or more', (value) => isDuration(value) && value !== Infinity),
  timeout: durationOrNever,
};

/** The checks of an emulator's options. Faults are checked where they are added. */
export const EMULATOR: Checks<EmulatorOptions> = {
  endpoints: required((value, field) =>
    isObject(value)
      ? Object.entries(value).flatMap(([id, endpoint]) => checkEndpoint(endpoint, `${field}.${id}`))
      : record(value, field),
  ),
  keys: listOf(
    'a list of keys: each a text, or an object with a key and its endpoints',
    (value) => isText(value) || (isObject(value) && isText(value.key) && Array.isArray(value.endpoints)),
  ),
  limits: either(
    'object',
    (value, field) =>
      isObject(value)
        ? Object.entries(value).flatMap(([operation, limits]) => checkOptions(limits, LIMITS, `${field}.${operation}`))
        : record(value, field),
    mustBe(
      "'documented', an object of limits by operation, or false",
      (value) => value === 'documented' || value === false,
    ),
  ),
  rateWindow: oneOf('sliding', 'fixed'),
  retryAfter: flag,
  faults: mustBe('a list of rules, or an object of rules by fault', (value) => Array.isArray(value) || isObject(value)),
  intercept: callback,
  webhooks: nested(WEBHOOKS),
  variants: nested(VARIANTS),
  latency: either('function', callback, duration),
  seed: either('number', mustBe('a number', Number.isFinite), text),
  scheduler,
  history: countOrInfinity(0),
  log: callback,
};

function checkEndpoint(endpoint: unknown, field: string): ReturnType<Check> {
  if (typeof endpoint === 'function') return [];
  if (!isObject(endpoint)) return mustBe('a handler, or an object with one as `handler`', () => false)(endpoint, field);
  // An object of a class may have members of its own, for its handler's use.
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(endpoint) as object | null);
  const known = Object.keys(ENDPOINT).map((name) => [name, endpoint[name]]);
  return checkOptions(isPlain ? endpoint : Object.fromEntries(known), ENDPOINT, field);
}

/** Throws a `TypeError` that says everything that is wrong with options. */
export function assertOptions<T extends object>(options: unknown, checks: Checks<T>): void {
  const issues = checkOptions(options, checks);
  if (issues.length > 0) throw new TypeError(issuesText(issues));
}

/** Throws a `TypeError` that says everything that is wrong with an endpoint. */
export function assertEndpoint(endpoint: unknown, field: string): void {
  const issues = checkEndpoint(endpoint, field);
  if (issues.length > 0) throw new TypeError(issuesText(issues));
}

/** The duration that a handler waits for. Throws a `TypeError` if it is none. */
export function assertDuration(value: unknown, field: string): void {
  const issues = durationOrNever(value, field);
  if (issues.length > 0) throw new TypeError(issuesText(issues));
}

import { assertOptions } from '../../errors/invalidOptions.js';
import {
  callback,
  checkOptions,
  count,
  flag,
  having,
  mustBe,
  nested,
  oneOf,
  record,
  required,
  scheduler as isScheduler,
  type Check,
  type Checks,
} from '../../protocol/checkOptions.js';
import type { ProxyEndpoint, ProxyOptions, ProxyQuota } from './ProxyOptions.js';

const QUOTA: Checks<ProxyQuota> = { jobs: count(1), perMinute: count(1) };

const operation = oneOf('run', 'runsync', 'status', 'stream', 'cancel', 'retry', 'health');

const operations: Check = (value, field) => {
  if (!Array.isArray(value) || !value.length) return mustBe('a list of operations', () => false)(value, field);
  return value.flatMap((one, index) => operation(one, `${field}[${index}]`));
};

const ENDPOINT: Checks<ProxyEndpoint> = {
  operations: required(operations),
  input: callback,
  policy: record,
  request: callback,
  quota: nested(QUOTA),
  parse: callback,
};

const endpoints: Check = (value, field) => {
  const issues = record(value, field);
  if (issues.length) return issues;
  return Object.entries(Object(value) as Record<string, unknown>).flatMap(([id, endpoint]) => [
    ...mustBe('an id of an endpoint', () => /^[A-Za-z0-9_-]{1,200}$/.test(id))(id, `the name of ${field}`),
    ...checkOptions(endpoint, ENDPOINT, `${field}.${id}`),
  ]);
};

const origin = mustBe('an origin without a path, such as https://app.example.com', isOrigin);

const originList = mustBe('a list of origins, such as https://app.example.com', Array.isArray);

const origins: Check = (value, field) => {
  if (!Array.isArray(value)) return originList(value, field);
  return value.flatMap((one, index) => origin(one, `${field}[${index}]`));
};

const PROXY: Checks<ProxyOptions> = {
  client: required(having('a client, as runpod() makes it', 'endpoint', 'settled', 'isolated')),
  endpoints: required(endpoints),
  user: required(callback),
  owners: having('a store of owners, with the functions set and get', 'set', 'get'),
  basePath: mustBe(
    'a path that begins with a slash and does not end with one',
    (value) => typeof value === 'string' && /^(\/[^/?#]+)*$/.test(value),
  ),
  origins,
  maxBody: count(1),
  onDisconnect: oneOf('cancel', 'detach'),
  events: flag,
  scheduler: isScheduler,
};

/** Throws `ConfigurationError` for options that cannot work. */
export function checkProxyOptions(options: ProxyOptions): void {
  assertOptions('createProxy', options, PROXY);
}

function isOrigin(value: unknown): boolean {
  try {
    return typeof value === 'string' && new URL(value).origin === value;
  } catch {
    return false;
  }
}

import type {
  CallOptions,
  RawRequest,
  RunOptions,
  StreamOptions,
  SyncOptions,
  WatchHealthOptions,
  WatchOptions,
} from '../types/callOptions.js';
import {
  anything,
  callback,
  duration,
  durationBetween,
  flag,
  mustBe,
  oneOf,
  record,
  signal,
  type Check,
  type Checks,
} from './checkOptions.js';
import { must } from './checks.js';
import { isPlain, isRecord } from './json.js';
import { WAIT } from './limits.js';

/** How long the service is to hold an answer. */
export const wait: Check = durationBetween(WAIT.min, WAIT.max);

/** Whether reads of a job are held, and for how long. */
const longPoll: Check = (value, field) => {
  if (value === 'auto' || value === false) return [];
  if (typeof value === 'number') return wait(value, field);
  return must(false, field, value, `be 'auto', false, or a number of milliseconds from ${WAIT.min} to ${WAIT.max}`);
};

/** The checks of the options of calls, a table for each interface. */
export const CALL: Checks<CallOptions> = {
  timeout: duration,
  signal,
  headers: mustBe('an object of headers by name, a Headers, a Map or a list of pairs', areHeaders),
  context: record,
  onReply: callback,
};

export const RUN: Checks<RunOptions> = { ...CALL, allowEmptyInput: flag };

export const WATCH: Checks<WatchOptions> = {
  ...CALL,
  every: duration,
  poll: callback,
  longPoll,
  outage: duration,
};

export const RUN_TO_END: Checks<Omit<SyncOptions, 'wait'>> = { ...RUN, ...WATCH };

export const SYNC: Checks<SyncOptions> = { ...RUN_TO_END, wait };

export const READ_STREAM: Checks<Pick<StreamOptions, 'wait'> & CallOptions> = { ...CALL, wait };

export const STREAM: Checks<StreamOptions> = {
  ...READ_STREAM,
  onGap: oneOf('hold', 'mark', 'error'),
  outage: duration,
};

export const WATCH_HEALTH: Checks<WatchHealthOptions> = {
  timeout: duration,
  signal,
  every: duration,
  outage: duration,
};

export const RAW: Checks<RawRequest> = {
  ...CALL,
  method: oneOf('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
  body: anything,
  query: record,
};

/** Whether the headers can be gone through. Those of any other object, such as a class of one's own, would be left out without a word. */
function areHeaders(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(Array.isArray);
  return isPlain(value) || (isRecord(value) && Symbol.iterator in value);
}

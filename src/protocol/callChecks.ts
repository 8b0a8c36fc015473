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
import { isPlain } from './json.js';
import { WAIT } from './limits.js';

/** How long the service is to hold an answer. */
export const wait: Check = durationBetween(WAIT.min, WAIT.max);

/** The checks of the options of calls, a table for each interface. */
export const CALL: Checks<CallOptions> = {
  timeout: duration,
  signal,
  // The members of others, such as `Headers` and `Map`, would be left out without a word.
  headers: mustBe('a plain object of headers by name', isPlain),
  context: record,
};

export const RUN: Checks<RunOptions> = { ...CALL, allowEmptyInput: flag };

export const WATCH: Checks<WatchOptions> = {
  ...CALL,
  every: duration,
  poll: callback,
  longPoll: wait,
  outage: duration,
};

export const RUN_TO_END: Checks<Omit<SyncOptions, 'wait'>> = { ...RUN, ...WATCH };

export const SYNC: Checks<SyncOptions> = { ...RUN_TO_END, wait };

export const STREAM: Checks<StreamOptions> = {
  ...CALL,
  wait,
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

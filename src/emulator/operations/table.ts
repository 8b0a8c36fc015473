import { cancel, purgeQueue, retry } from './command.js';
import { health, metrics, requests } from './overview.js';
import { status, statusSync, stream } from './read.js';
import { run, runsync } from './submit.js';
import { batch } from '../batch/batchRoutes.js';
import { openai } from '../openai/openai.js';
import type { Operate } from './OperationCall.js';
import * as worker from './worker.js';

/** What an operation requires of a request, and what it does. */
export interface TableRow {
  readonly methods: readonly string[];
  /** Whether a job id must follow in the path. */
  readonly job?: true;
  readonly operate: Operate;
}

const GET = ['GET'];
const POST = ['POST'];
/** Some official clients read by POST. */
const BOTH = ['GET', 'POST'];

/** The operations that the emulator serves. */
export const table: ReadonlyMap<string, TableRow> = new Map<string, TableRow>([
  ['run', { methods: POST, operate: run }],
  ['runsync', { methods: POST, operate: runsync }],
  ['status', { methods: BOTH, job: true, operate: status }],
  ['status-sync', { methods: BOTH, job: true, operate: statusSync }],
  ['stream', { methods: BOTH, job: true, operate: stream }],
  ['cancel', { methods: POST, job: true, operate: cancel }],
  ['retry', { methods: POST, job: true, operate: retry }],
  ['purge-queue', { methods: POST, operate: purgeQueue }],
  ['health', { methods: GET, operate: health }],
  ['requests', { methods: GET, operate: requests }],
  ['metrics', { methods: GET, operate: metrics }],
  ['openai', { methods: BOTH, operate: openai }],
  ['batch', { methods: ['GET', 'POST', 'PUT', 'DELETE'], operate: batch }],
  ['job-take', { methods: GET, operate: worker.take }],
  ['job-take-batch', { methods: GET, operate: worker.takeBatch }],
  ['job-stop', { methods: GET, operate: worker.stop }],
  ['job-done', { methods: POST, operate: worker.done }],
  ['job-stream', { methods: POST, operate: worker.chunk }],
  ['ping', { methods: GET, operate: worker.ping }],
]);

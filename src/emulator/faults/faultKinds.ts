import type { FaultName } from './FaultRule.js';

/** What a fault strikes. */
export type FaultKind = 'request' | 'latency' | 'chunks' | 'job' | 'workers';

/** The kind of each fault. */
export const faultKinds: Readonly<Record<FaultName, FaultKind>> = {
  'connection-refused': 'request',
  'reset-before': 'request',
  'reset-after': 'request',
  'no-answer': 'request',
  latency: 'latency',
  'slow-answer': 'request',
  'slow-body': 'request',
  'truncated-answer': 'request',
  'html-502': 'request',
  'empty-502': 'request',
  'empty-429': 'request',
  'bare-error': 'request',
  answer: 'request',
  'dropped-stream': 'chunks',
  'transient-404': 'job',
  'lost-worker': 'job',
  'json-error': 'job',
  'no-output': 'job',
  'late-progress': 'job',
  'expired-result': 'job',
  'duplicate-webhook': 'job',
  'no-workers': 'workers',
  'throttled-workers': 'workers',
  'unhealthy-workers': 'workers',
};

/** The name of every fault. */
export const faultNames = Object.keys(faultKinds) as readonly FaultName[]; // its keys are names

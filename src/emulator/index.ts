export { createEmulator, type Emulator } from './createEmulator.js';
export type {
  EmulatedEndpoint,
  EmulatorKey,
  EmulatorOptions,
  LogEntry,
  Variants,
  WorkerOptions,
} from './EmulatorOptions.js';
export type {
  FaultConditions,
  FaultContext,
  FaultDetails,
  FaultName,
  FaultOptions,
  FaultRule,
  JobFault,
  RequestFault,
  WorkerFault,
} from './faults/FaultRule.js';
export type { ActiveFault, FaultControl } from './faults/FaultControl.js';
export { faultNames } from './faults/faultKinds.js';
export { readFaults } from './faults/readFaults.js';
export type { NetworkError } from './faults/networkError.js';
export type { EmulatorState, EndpointState, RequestCounts } from './inspect/EmulatorState.js';
export type { HandlerContext, HandlerJob, JobHandler } from './JobHandler.js';
export type { JobRecord, RunRecord } from './JobRecord.js';
export type { Answer } from './model/answers.js';
export type { EmulatorRequest } from './model/EmulatorRequest.js';
export type { JobEnd, RunOutcome, WireStatus } from './model/JobModel.js';
export type { AuthKind } from './model/keys.js';
export type { WebhookAttempt, WebhookOptions, WebhookRequest, WebhookSender } from './webhooks/WebhookOptions.js';
export type { RequestRecord } from './RequestRecord.js';

/**
 * Names of OpenTelemetry's semantic conventions. They are copied, as the conventions' package asks of libraries where a name is not
 * stable yet; a test compares them with that package.
 */
export const ATTR = {
  errorType: 'error.type',
  httpMethod: 'http.request.method',
  httpResend: 'http.request.resend_count',
  httpStatus: 'http.response.status_code',
  urlPath: 'url.path',
  system: 'messaging.system',
  destination: 'messaging.destination.name',
  messageId: 'messaging.message.id',
  operationName: 'messaging.operation.name',
  operationType: 'messaging.operation.type',
} as const;

/** Names of this library's own, for what the conventions have no name for. Durations are seconds. */
export const OWN = {
  operation: 'runpod.operation',
  method: 'runpod.method',
  tag: 'runpod.job.tag',
  status: 'runpod.job.status',
  queueTime: 'runpod.job.queue_time',
  executionTime: 'runpod.job.execution_time',
  outcome: 'runpod.cancel.outcome',
} as const;

/** The value of `messaging.system`. */
export const SYSTEM = 'runpod';

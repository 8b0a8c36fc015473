/**
 * The name of an API call as it stands in the URL: the part after the endpoint id.
 * Open by contract: `Endpoint.request` can make calls that this version does not know.
 */
export type Operation =
  | 'run'
  | 'runsync'
  | 'status'
  | 'status-sync'
  | 'stream'
  | 'cancel'
  | 'retry'
  | 'health'
  | 'purge-queue'
  | 'requests'
  | (string & {});

/**
 * What a call does on the server. The client decides by it whether it may repeat the call.
 *
 * - `submission`: makes the service run (and bill) a job.
 * - `read`: changes nothing.
 * - `command`: changes something, and runs no new job.
 */
export type OperationKind = 'submission' | 'read' | 'command';

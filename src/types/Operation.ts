/**
 * The name of an API call as it stands in the URL: the part after the endpoint id.
 * Open by contract, so that a call this version does not know can be made with `Endpoint.request`.
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
  | (string & {});

/**
 * What a call does to the world, which decides whether it may be repeated.
 *
 * - `submission`: makes the service run (and bill) a job.
 * - `read`: changes nothing.
 * - `command`: changes something, but nothing new is run.
 */
export type OperationKind = 'submission' | 'read' | 'command';

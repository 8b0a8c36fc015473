import type { Observable } from 'rxjs';
import type { Answer } from '../model/answers.js';
import type { Endpoint } from '../model/Endpoint.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import type { Job } from '../model/Job.js';

/** A request that has come through: the endpoint exists, the key fits, no limit is exceeded. */
export interface Call {
  readonly endpoint: Endpoint;
  readonly request: EmulatorRequest;
  readonly query: URLSearchParams;
  /** What follows the operation in the path. */
  readonly path: readonly string[];
  readonly jobId: string;
  /** The worker that speaks, where one does. */
  readonly workerId?: string;
  /** Tells the ledger which job the request made. */
  readonly created: (job: Job) => void;
  /** Whether the chunks just taken are to be lost on the way. */
  readonly dropped: () => boolean;
}

/** What one operation does. */
export type Operate = (call: Call) => Observable<Answer>;

import type { Observable } from 'rxjs';
import type { Answer } from '../model/answers.js';
import type { EndpointModel } from '../model/EndpointModel.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import type { JobModel } from '../model/JobModel.js';

/** A request that has come through: the endpoint exists, the key fits, no limit is exceeded. */
export interface OperationCall {
  readonly endpoint: EndpointModel;
  readonly request: EmulatorRequest;
  readonly query: URLSearchParams;
  /** What follows the operation in the path. */
  readonly path: readonly string[];
  readonly jobId: string;
  /** The worker that speaks, where one does. */
  readonly workerId?: string;
  /** Tells the ledger which job the request made. */
  readonly onJobCreated: (job: JobModel) => void;
  /** Whether the chunks just taken are to be lost on the way. */
  readonly losesChunks: () => boolean;
}

/** What one operation does. */
export type Operate = (call: OperationCall) => Observable<Answer>;

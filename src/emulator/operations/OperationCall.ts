import type { Observable } from 'rxjs';
import type { Answer } from '../model/answers.js';
import type { EndpointModel } from '../model/EndpointModel.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import type { JobModel } from '../model/JobModel.js';

/** An admitted request: the endpoint exists, the key opens it, no limit is exceeded. */
export interface OperationCall {
  readonly endpoint: EndpointModel;
  readonly request: EmulatorRequest;
  readonly query: URLSearchParams;
  /** The path segments after the operation. */
  readonly path: readonly string[];
  readonly jobId: string;
  /** The worker that sent the request, for operations of workers. */
  readonly workerId?: string;
  /** Records in the ledger which job the request has submitted. */
  readonly onJobCreated: (job: JobModel) => void;
  /** Whether a `dropped-stream` fault loses the answer with the chunks just taken. */
  readonly losesChunks: () => boolean;
}

/** Performs one operation and emits its answer. */
export type Operate = (call: OperationCall) => Observable<Answer>;

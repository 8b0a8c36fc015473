import type { Observable } from 'rxjs';
import type { RequestRecord } from '../RequestRecord.js';
import type { Answer } from '../model/answers.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import type { JobModel } from '../model/JobModel.js';
import type { EmulatorState } from './EmulatorState.js';

/** What the dashboard sees of an emulator and does to it. Lists are the emulator's own and are not copied: only read them. */
export interface Inspection {
  state(): EmulatorState;
  /** The jobs that the ledger remembers, oldest first. */
  jobs(): readonly JobModel[];
  /** The latest requests, oldest first. */
  requests(): readonly RequestRecord[];
  /** The job as `/status` answers it: JSON. */
  statusOf(job: JobModel): string;
  /**
   * Answers a request to the queue API that is not a client's: the ledger does not record it, and no limit, latency, fault of
   * requests or `intercept` applies to it. The jobs that it submits are like all others.
   *
   * @param onJobCreated - called with each job that the request submits
   */
  handle(request: EmulatorRequest, onJobCreated: (job: JobModel) => void): Observable<Answer>;
}

import { map, type Observable } from 'rxjs';
import type { Job } from '../../index.js';
import type { Text } from '../Text.js';

/** Has a job go on without this process; says how to follow it again. Acts at the call. */
export function detachJob(job: Job, endpointId: string): Observable<Text> {
  return job.detach().pipe(map(({ id }) => `the job goes on; follow it: runpod-rx watch ${endpointId} ${id}`));
}

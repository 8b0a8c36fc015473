import type { JobState } from './jobReducer.js';

/** A state as the views are shown it: of a job that is still to be recorded, they are told nothing. */
export function shown(state: JobState): Pick<JobState, 'id' | 'request' | 'snapshot'> {
  return state.recording ? { request: state.request } : state;
}

/** Whether no view waits for the submission: its answer is read to the end, and it is not sent again. */
export function isAbandoned({ viewers, inGrace, detached, cancelRequested }: JobState): boolean {
  return !!cancelRequested || (viewers.length === 0 && !inGrace && !detached);
}

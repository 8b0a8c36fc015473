import type { JobRequest } from './JobRequest.js';
import type { JobSnapshot, TerminalSnapshot } from './JobSnapshot.js';

/**
 * What happens to a job, in order. A late subscriber first gets the latest `submitted`, `state` and `progress`, and the
 * chunks that the job keeps. Open by contract: a later version may add types.
 *
 * | type | when |
 * | --- | --- |
 * | `submitting` | before the request is sent; again where it was withdrawn unsent |
 * | `submitted` | the job's id is known; for an attached job at once |
 * | `state` | an answer differs from the one before |
 * | `progress` | the worker's progress update differs from the one before |
 * | `chunk` | a chunk of the stream, in order |
 * | `gap` | chunks may be missing here; only with `onGap: 'mark'` |
 * | `ended` | the job is over, and its stream too, where it is read; the last event |
 */
export type JobEvent<O = unknown, C = unknown> =
  | { readonly type: 'submitting'; readonly request: JobRequest<object> }
  | { readonly type: 'submitted'; readonly id: string }
  | { readonly type: 'state'; readonly snapshot: JobSnapshot<O> }
  | { readonly type: 'progress'; readonly progress: unknown }
  | { readonly type: 'chunk'; readonly chunk: C }
  | { readonly type: 'gap'; readonly delivered: number }
  | { readonly type: 'ended'; readonly snapshot: TerminalSnapshot<O> };

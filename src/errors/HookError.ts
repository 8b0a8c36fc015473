import type { JobSnapshot } from '../types/JobSnapshot.js';
import { RunpodError } from './RunpodError.js';

/** The members of {@link HookError} besides those of every error. */
export interface HookErrorDetails {
  /** The name of the hook, or `store` for the store of `durable`. */
  readonly hook: 'beforeSend' | 'afterSubmit' | 'beforeCancel' | 'commit' | 'committed' | 'store';
  /** The snapshot of the job's end, with its output, where `commit` failed. */
  readonly snapshot?: JobSnapshot | undefined;
}

/**
 * A hook of yours failed, for the reason in `cause`. `beforeSend`: nothing was sent, `accepted` is `'no'`. `afterSubmit`:
 * the job is on the server and goes on; `ref` is the reference to attach to it. `commit`: the job has ended, and
 * `snapshot` is its end.
 */
export class HookError extends RunpodError<HookErrorDetails> {
  static override readonly brand = 'HookError';
  static override readonly code = 'hook';

  declare readonly hook: HookErrorDetails['hook'];
  declare readonly snapshot?: JobSnapshot;
}

import type { Observable } from 'rxjs';
import type { JobSnapshot, Runpod } from 'runpod-rx';
import type { Screen } from './Screen.js';

/** What every step of the demo works with. */
export interface Stage {
  readonly client: Runpod;
  readonly screen: Screen;
  /** Is told of each cancel of a job that was left, so that the demo can wait for it at its end. */
  readonly cancelling: (answer$: Observable<JobSnapshot>) => void;
}

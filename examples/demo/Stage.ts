import type { Runpod } from 'runpod-rx';
import type { Screen } from './Screen.js';

/** What every step of the demo works with. */
export interface Stage {
  readonly client: Runpod;
  readonly screen: Screen;
  /** Makes a second client, as a page does that is loaded again; the demo closes it at its end. */
  readonly reload: () => Runpod;
}

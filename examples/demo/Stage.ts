import type { Runpod } from 'runpod-rx';
import type { Screen } from './Screen.js';

/** What every step of the demo uses. */
export interface Stage {
  readonly client: Runpod;
  readonly screen: Screen;
  /** Makes a second client, as a page does when it is reloaded. The demo closes that client at its end. */
  readonly reload: () => Runpod;
}

import { InjectionToken, type EnvironmentInjector } from '@angular/core';
import type { SchedulerLike } from 'rxjs';
import type { Runpod } from '../index.js';
import type { RunpodFeatureSettings, RunpodProviderOptions } from './RunpodProviderOptions.js';

/**
 * What one `provideRunpod` holds: the configuration, and the client from when it is first asked for. Nothing of the client is
 * imported here but its type, so that it loads with the first component that uses it.
 */
export interface RunpodSlot {
  readonly injector: EnvironmentInjector;
  readonly options: RunpodProviderOptions | (() => RunpodProviderOptions);
  readonly features: RunpodFeatureSettings;
  client?: Runpod;
  /** The client's, where it has one of its own. */
  scheduler?: SchedulerLike;
}

export const RUNPOD_SLOT = new InjectionToken<RunpodSlot>('provideRunpod');

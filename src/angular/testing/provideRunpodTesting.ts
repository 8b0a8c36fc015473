import {
  EnvironmentInjector,
  InjectionToken,
  makeEnvironmentProviders,
  inject,
  type EnvironmentProviders,
} from '@angular/core';
import type { SchedulerLike } from 'rxjs';
import { createEmulator, type Emulator, type EmulatorOptions } from '../../emulator/index.js';
import type { RunpodProviderOptions } from '../RunpodProviderOptions.js';
import { provideRunpod, type RunpodFeature } from '../provideRunpod.js';
import { VirtualClock } from './VirtualClock.js';

/** Options of {@link provideRunpodTesting}: those of the emulator, and how the client is set. */
export interface RunpodTestingOptions extends EmulatorOptions {
  /** Options of the client beside its transport and its clock. */
  readonly client?: Omit<RunpodProviderOptions, 'transport' | 'scheduler'>;
  /** Features of `provideRunpod`. */
  readonly features?: readonly RunpodFeature[];
  /**
   * The clock of client and emulator.
   * @defaultValue virtual time, which `injectLedger().advance()` moves
   */
  readonly scheduler?: SchedulerLike;
}

/** The emulator and the clock of a test. */
export interface TestPlatform {
  readonly emulator: Emulator;
  readonly clock: SchedulerLike;
}

export const TEST_PLATFORM = new InjectionToken<TestPlatform>('provideRunpodTesting');

/**
 * In place of `provideRunpod`: a local RunPod inside the test, without a network, in virtual time.
 *
 * ```ts
 * TestBed.configureTestingModule({
 *   providers: [provideRunpodTesting({ endpoints: { poet: (job, { delay }) => delay(3_600_000).pipe(map(() => 'an ode')) } })],
 * });
 * ```
 *
 * Handlers that return promises run in real time only; those that return Observables or values play in virtual time. In real
 * time the jobs go on after the test, until they are over: `injectLedger().emulator.close()` ends them.
 */
export function provideRunpodTesting({
  client = {},
  features = [],
  scheduler,
  ...emulation
}: RunpodTestingOptions): EnvironmentProviders {
  const makePlatform = (): TestPlatform => {
    const clock = scheduler ?? new VirtualClock();
    return { clock, emulator: createEmulator({ ...emulation, scheduler: clock }) };
  };
  const options = (): RunpodProviderOptions => {
    const { clock, emulator } = inject(EnvironmentInjector).get(TEST_PLATFORM);
    return { ...client, scheduler: clock, transport: emulator.transport };
  };
  return makeEnvironmentProviders([
    { provide: TEST_PLATFORM, useFactory: makePlatform },
    provideRunpod(options, ...features),
  ]);
}

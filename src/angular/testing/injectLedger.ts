import { ApplicationRef, NgZone, inject } from '@angular/core';
import type { Emulator, JobRecord, RequestRecord } from '../../emulator/index.js';
import { TEST_PLATFORM } from './provideRunpodTesting.js';
import { VirtualClock } from './VirtualClock.js';

/** What a test's RunPod was asked, what it ran and what it was paid for; and the test's time. */
export interface Ledger {
  /** The emulator itself: for faults, and for all that is not here. */
  readonly emulator: Emulator;
  /** The time on the test's clock, in milliseconds since its start. */
  readonly now: number;
  /** Every job so far, oldest first. */
  jobs(): readonly JobRecord[];
  /** The state of every job, oldest first: `['CANCELLED', 'COMPLETED']`. */
  statuses(): readonly string[];
  /** Every request so far, oldest first. */
  requests(): readonly RequestRecord[];
  /**
   * Lets so many milliseconds pass at once: what is due meanwhile happens in order, at its time. Angular renders before, and
   * whenever something has happened, so that effects see the signals of that moment.
   */
  advance(milliseconds: number): void;
}

/** The ledger of the nearest {@link provideRunpodTesting}: `TestBed.runInInjectionContext(injectLedger)`. */
export function injectLedger(): Ledger {
  const { emulator, clock } = inject(TEST_PLATFORM);
  const application = inject(ApplicationRef);
  const zone = inject(NgZone);
  return {
    emulator,
    get now() {
      return clock.now();
    },
    jobs: () => emulator.jobs(),
    statuses: () => emulator.jobs().map(({ status }) => status),
    requests: () => emulator.requests(),
    advance: (milliseconds) => {
      if (!(clock instanceof VirtualClock))
        throw new TypeError('advance() moves virtual time: leave the option scheduler of provideRunpodTesting out');
      const render = () => {
        application.tick();
      };
      zone.run(render);
      zone.runOutsideAngular(() => {
        clock.advance(milliseconds, () => {
          zone.run(render);
        });
      });
    },
  };
}

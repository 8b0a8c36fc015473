import { Logger, type OnModuleDestroy } from '@nestjs/common';
import { firstValueFrom, of, timeout } from 'rxjs';
import type { Runpod, SettleReport } from '../index.js';

/** How long a shutdown waits for cancels, in milliseconds. */
const CLOSE_TIMEOUT = 8000;

const logger = new Logger('RunpodModule');

/**
 * Closes the client while Nest destroys its modules. That is before Nest waits for open connections: the event streams among
 * them end with the client. In `onApplicationShutdown`, Nest would wait for them, and their jobs would run on.
 */
export class RunpodLifecycle implements OnModuleDestroy {
  readonly #client: Runpod;
  readonly #closeTimeout: number;

  constructor(client: Runpod, closeTimeout = CLOSE_TIMEOUT) {
    this.#client = client;
    this.#closeTimeout = closeTimeout;
  }

  /** Called by Nest. */
  async onModuleDestroy(): Promise<void> {
    const late$ = of(undefined);
    const report$ = this.#client.close().pipe(timeout({ first: this.#closeTimeout, with: () => late$ }));
    this.#tell(await firstValueFrom(report$, { defaultValue: undefined }));
  }

  #tell(report: SettleReport | undefined): void {
    if (!report) {
      logger.warn(`after ${this.#closeTimeout} ms, not every cancel is confirmed: jobs may run on, and cost`);
      return;
    }
    const { abandoned, lost } = report;
    if (abandoned.length)
      logger.warn(
        `jobs that may run on, and cost, as their cancel failed: ${abandoned.map(({ id }) => id).join(', ')}`,
      );
    if (lost.length) logger.warn(`${lost.length} submissions whose answer was lost: their jobs may run, and cost`);
  }
}

import { config } from 'rxjs';

/** Where nobody waits for an error, such as that of an iterator that fails to close, it goes to RxJS's handler. */
export function reportUnhandled(error: unknown): void {
  config.onUnhandledError?.(error);
}

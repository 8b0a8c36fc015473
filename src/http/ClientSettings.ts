import type { Observable, ObservableInput, SchedulerLike } from 'rxjs';
import type { RetryOptions } from './retryCall.js';
import type { Budget } from '../types/Budget.js';
import type { Link } from '../types/Link.js';
import type { Transport } from '../types/Transport.js';
import type { BaseUrl } from './baseUrl.js';
import type { ResolvedLimits } from './resolveLimits.js';

/** A client's options, with every default filled in. */
export interface ClientSettings {
  readonly transport: Transport;
  readonly apiKey: string | undefined | (() => string | ObservableInput<string>);
  readonly base: BaseUrl;
  readonly links: readonly Link[];
  readonly retry: RetryOptions;
  readonly limits: ResolvedLimits;
  /** Divides the limits among processes; `undefined` where the client has them for itself. */
  readonly budget: Budget | undefined;
  readonly requestTimeout: number | undefined;
  /** How many bytes an answer may have, decoded. */
  readonly maxResponseBytes: number;
  /** Runs all timers. Durations are measured by its clock, whose times need not be dates. */
  readonly scheduler: SchedulerLike;
  /** The wall clock, in milliseconds since 1970: for times that leave the process, or come from elsewhere. */
  readonly wallNow: () => number;
  readonly random: () => number;
  /** Job objects from elsewhere, such as webhooks: parsed JSON, or anything else. */
  readonly notices: Observable<unknown> | undefined;
  /** Why the key must not be used here; `undefined` where it may. */
  readonly keyRefusal: string | undefined;
  /** Whether a call may go without a key: it goes to a server of the user's own. */
  readonly keyOptional: boolean;
}

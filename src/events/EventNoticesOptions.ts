import type { SchedulerLike } from 'rxjs';

/** Options of `eventNotices`. */
export interface EventNoticesOptions {
  /**
   * Further headers, such as `authorization`, or a function that is asked for them at each connection, as for a token that
   * changes. With them, each tab has a connection of its own, since they may name another user.
   * @defaultValue none: the browser sends the user's cookies
   */
  readonly headers?:
    | Readonly<Record<string, string>>
    | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);
  /**
   * Whether cookies are sent: `'include'` for a proxy of another origin.
   * @defaultValue `'same-origin'`
   */
  readonly credentials?: 'same-origin' | 'include' | 'omit';
  /**
   * Sends the request.
   * @defaultValue the platform's `fetch`
   */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /**
   * Runs all timers.
   * @defaultValue `asyncScheduler`
   */
  readonly scheduler?: SchedulerLike;
}

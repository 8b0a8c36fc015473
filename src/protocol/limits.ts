/** The window of the documented rate limits, in milliseconds. */
export const RATE_WINDOW = 10_000;

/** The largest body of `/run`, in bytes of UTF-8. */
export const MAX_RUN_BODY = 10 * 1024 * 1024;

/** The largest body of `/runsync`, in bytes of UTF-8. */
export const MAX_RUNSYNC_BODY = 20 * 1024 * 1024;

/** The largest answer that is read by default, in bytes. */
export const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

const DAY = 86_400_000;

/** Bounds of `policy.executionTimeout`, in milliseconds. */
export const EXECUTION_TIMEOUT = { min: 5_000, max: 7 * DAY } as const;

/** Bounds of `policy.ttl`, in milliseconds. */
export const TTL = { min: 10_000, max: 7 * DAY } as const;

/** Bounds of the `wait` parameter of `/runsync` and `/stream`, in milliseconds. */
export const WAIT = { min: 1_000, max: 300_000 } as const;

/** How long the service holds an answer of `/runsync` by default, in milliseconds. */
export const RUNSYNC_WAIT = 90_000;

/** How long the service holds an answer of `/stream` by default while there is no chunk, in milliseconds. */
export const STREAM_WAIT = 10_000;

/** Matches every id of an endpoint. */
export const ID_PATTERN = /^[A-Za-z0-9_-]+$/;

/**
 * Matches every id by which a job can be asked for. Wider than the service's own ids, for servers in its place; without what
 * is another path (`..`, slashes), or what no URL holds.
 */
export const JOB_ID_PATTERN = /^(?!\.{1,2}$)[\w.~:@=+-]{1,500}$/;

/** The longest `Retry-After` that is obeyed by default, in milliseconds. */
export const MAX_RETRY_AFTER = 60_000;

/** The longest delay of a JavaScript timer, in milliseconds. A timer with a longer delay fires at once. */
export const MAX_TIMER = 2 ** 31 - 1;

/** The status by which a server says that it keeps no streams: none can be asked for a place in one. */
export const RANGE_NOT_SATISFIABLE = 416;

import type { SchedulerLike } from 'rxjs';
import type { JobPolicy, JobRequest, JsonParser, Runpod } from '../../index.js';
import type { Eventually } from '../eventually.js';
import type { OwnerStore } from './OwnerStore.js';

/**
 * What a page may do at an endpoint. `status` covers reads that are held (`/status-sync`). There is no way to open
 * `purge-queue` and `requests`, which reach the jobs of all users.
 */
export type ProxyOperation = 'run' | 'runsync' | 'status' | 'stream' | 'cancel' | 'retry' | 'health';

/** How much a user may ask of an endpoint. What goes beyond is answered 429, so that the page waits and tries again. */
export interface ProxyQuota {
  /**
   * How many jobs of a user may be queued or running.
   * @defaultValue no bound
   */
  readonly jobs?: number;
  /**
   * How many jobs a user may submit in a minute.
   * @defaultValue no bound
   */
  readonly perMinute?: number;
}

/** One endpoint that pages may use. */
export interface ProxyEndpoint {
  /** What pages may do there. Everything else does not exist for them. */
  readonly operations: readonly ProxyOperation[];
  /**
   * Checks the input of a submission, and returns the input to send: the same, or a changed one. To refuse it, throw a
   * {@link Refusal}, whose words the page gets; any other error refuses it with no words but "the input was refused".
   * @defaultValue sends the input as it is
   */
  readonly input?: (input: Readonly<Record<string, unknown>>, user: string) => Eventually<object>;
  /** The policy of every job: pages cannot set one. */
  readonly policy?: JobPolicy;
  /**
   * Makes the request to send, with what is the server's to say: a `webhook`, an `s3Config`, a policy by user. Called last,
   * with the checked input and the endpoint's policy.
   * @defaultValue sends the request as it is
   */
  readonly request?: (request: JobRequest, user: string) => Eventually<JobRequest<object>>;
  /** @defaultValue no bounds */
  readonly quota?: ProxyQuota;
  /**
   * How the server's client parses the endpoint's answers. Pages get the texts as they are.
   * @defaultValue the `parse` that was given to `client.endpoint(id, { parse })` before, or else `JSON.parse`
   */
  readonly parse?: JsonParser;
}

/** Options of {@link createProxy}. */
export interface ProxyOptions {
  /** The client that does all requests: its key, its limits and its reads are shared by all pages. */
  readonly client: Runpod;
  /** The endpoints that pages may use, by id. */
  readonly endpoints: Readonly<Record<string, ProxyEndpoint>>;
  /**
   * Who sends a request: a name that is one user's alone, from a session or a token. `undefined` is answered 401, and so is
   * an error that it throws.
   */
  readonly user: (request: Request) => Eventually<string | undefined>;
  /**
   * Who owns which job. Give one of your own where there are several processes, or where jobs outlive a restart.
   * @defaultValue `memoryOwners()`
   */
  readonly owners?: OwnerStore;
  /**
   * The path that the page's client has as its `baseUrl`.
   * @defaultValue `'/api/runpod'`
   */
  readonly basePath?: string;
  /**
   * Further origins whose pages may call, such as `https://app.example.com`. They get the CORS headers that they need, for
   * requests with cookies, too. Pages of the proxy's own origin may always call.
   * @defaultValue none
   */
  readonly origins?: readonly string[];
  /**
   * How many bytes the body of a request may have.
   * @defaultValue 1 048 576 (1 MiB)
   */
  readonly maxBody?: number;
  /**
   * What becomes of a job whose page leaves before it has the answer to its submission: nobody else knows the job.
   * @defaultValue `'cancel'`
   */
  readonly onDisconnect?: 'cancel' | 'detach';
  /**
   * Whether pages may have what happens to their jobs pushed to them, at `<basePath>/events`: see `eventNotices`. Not on
   * Cloudflare Workers, where what one request has begun must not answer another. Where there are several processes, a page
   * reads the jobs that another process got, as it would without events.
   * @defaultValue `false`
   */
  readonly events?: boolean;
  /**
   * Runs the proxy's own timers, and measures its durations.
   * @defaultValue `asyncScheduler`
   */
  readonly scheduler?: SchedulerLike;
}

import type { JobPolicy } from '../../../types/JobRequest.js';
import type { EmulatorState } from '../../inspect/EmulatorState.js';
import type { JobEnd, WireStatus } from '../../model/JobModel.js';
import type { RunRecord } from '../../JobRecord.js';
import type { RequestRecord } from '../../RequestRecord.js';
import type { WebhookAttempt } from '../../webhooks/WebhookOptions.js';

/** What the page asks the feed for, as the query of its address. */
export interface FeedQuery {
  /** Only jobs with this status. */
  readonly status?: string;
  /** Only jobs of this endpoint. */
  readonly endpoint?: string;
  /** Only jobs with this text in their id. */
  readonly search?: string;
  /** The id of the job whose details are sent. */
  readonly job?: string;
}

/** A job as the table shows it. Times are the emulator's, in milliseconds. */
export interface JobRow {
  readonly id: string;
  readonly endpointId: string;
  readonly status: WireStatus;
  readonly end?: JobEnd;
  readonly submittedAt: number;
  /** When the latest run began. */
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly workerId?: string;
  /** How many chunks are kept. */
  readonly chunks: number;
  readonly retries: number;
}

/** A JSON text, cut where it is long. */
export interface JsonText {
  readonly text: string;
  /** The length of the whole text, in characters. */
  readonly length: number;
}

/** All of a job but its chunks. */
export interface JobDetails extends JobRow {
  readonly operation: 'run' | 'runsync';
  readonly policy: JobPolicy;
  readonly input?: JsonText;
  readonly output?: JsonText;
  readonly error?: JsonText;
  readonly progress?: JsonText;
  readonly runs: readonly RunRecord[];
  readonly renewals: number;
  readonly cancelRequests: number;
  readonly chunksHandedOut: number;
  readonly forgotten: boolean;
  readonly webhook?: readonly WebhookAttempt[];
  /** The latest requests that name the job, or that submitted it. */
  readonly requests: readonly RequestRecord[];
}

/** The requests of one client, as far as clients can be told apart. */
export interface ClientCount {
  /** The user agent, and the key where there are keys. */
  readonly client: string;
  readonly requests: number;
  /** Answers with the status 429. */
  readonly limited: number;
  /** Any other failure: an answer of 400 or above, or none. */
  readonly failed: number;
  /** When the latest request ended. */
  readonly lastAt: number;
}

/** The emulator, and its clients. */
export interface FeedState extends Omit<EmulatorState, 'now'> {
  readonly clients: readonly ClientCount[];
}

/**
 * One event of the feed: what has changed since the event before. An absent member has not changed. The first event of a
 * connection has everything.
 */
export interface FeedEvent {
  /** The emulator's clock. An event comes at least once a second. */
  readonly now: number;
  readonly state?: FeedState;
  readonly jobs?: {
    /** The ids of the shown jobs, the newest first. */
    readonly ids: readonly string[];
    /** Those of them that are new or have changed. */
    readonly changed: readonly JobRow[];
    /** How many jobs the query fits. */
    readonly matching: number;
    /** How many jobs the ledger has. */
    readonly total: number;
  };
  /** Requests that are new or have ended, oldest first. */
  readonly requests?: readonly RequestRecord[];
  /** The job that the query names; `null` where there is none. */
  readonly details?: JobDetails | null;
  /** Chunks of that job, as JSON texts. */
  readonly chunks?: {
    /** How many of the job's kept chunks come before these. With 0, these replace what came before. */
    readonly from: number;
    readonly items: readonly JsonText[];
  };
}

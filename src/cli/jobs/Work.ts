import type { Observable } from 'rxjs';

/** Jobs that go on without this process. */
export interface GoesOn {
  /** How to follow them. */
  readonly message: string;
  /** The job, where it is one. */
  readonly jobId?: string;
}

/** What a command does. */
export interface Work {
  /** Does it, and emits the exit code. Unsubscribing leaves: a job that the command has submitted is cancelled. */
  readonly exitCode$: Observable<number>;
  /** What is said while jobs that were left are cancelled. Without it, nothing is cancelled but what is being submitted. */
  leaving?(): string | undefined;
  /** Whether Ctrl-C is its proper end. */
  readonly endsByInterrupt?: boolean;
  /**
   * Called at SIGTERM and SIGHUP, before `exitCode$` is unsubscribed from, and where a job can be read no more: has jobs go on
   * without this process, at the call. Emits what to say about them. Without it, the work is left as at Ctrl-C.
   */
  detach?(): Observable<GoesOn>;
  /** What is to end after `exitCode$` was unsubscribed from, before the client is closed. */
  afterLeaving?(): Observable<unknown>;
  /** Whether jobs go on when nobody reads the output any more. */
  readonly outlivesOutput?: boolean;
}

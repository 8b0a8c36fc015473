import { AsyncSubject, ReplaySubject, filter, finalize, map, merge, take, tap, type Observable } from 'rxjs';
import type { JobCall } from '../http/ApiCall.js';
import type { CallState, Turn } from '../http/CallState.js';
import type { ClientContext } from '../http/ClientContext.js';
import { cancelUntilConfirmed, outcomeOf, type CancelOutcome } from '../job/cancelUntilConfirmed.js';
import type { JobCache } from '../polling/JobCache.js';
import { isTerminal } from '../protocol/snapshot.js';
import type { CallOrigin } from '../types/Activity.js';
import type { JobSnapshot } from '../types/JobSnapshot.js';

/** How an abandoned job is cancelled. */
export interface CancelAbandonedOptions {
  /** The caller's own name for the job. */
  readonly tag?: string | undefined;
  /** The call of a method that the job comes from, where nothing is known of the job. */
  readonly origin?: CallOrigin | undefined;
  /**
   * Whether the job is known to run, and so to cost money: its cancel goes first then. A job that is known not to run
   * lets the others go first.
   */
  readonly urgent?: boolean | undefined;
  /** Cancel the job only while no worker has taken it. */
  readonly onlyIfQueued?: boolean;
}

/** What a canceller needs of its endpoint. */
interface CancellerHost {
  readonly id: string | undefined;
  readonly client: ClientContext;
  readonly jobs: JobCache;
  call(call: JobCall): Observable<JobSnapshot>;
}

/** Cancels the jobs of an endpoint that their subscribers abandoned. */
export class JobCanceller {
  readonly #endpoint: CancellerHost;
  /** The cancels under way, by job and condition. */
  readonly #cancels = new Map<string, Observable<CancelOutcome>>();

  constructor(endpoint: CancellerHost) {
    this.#endpoint = endpoint;
  }

  /**
   * Cancels a job until that is confirmed. It begins at the call and goes on whether or not anybody subscribes;
   * `settled()` waits for it. A second call for the same job joins the first.
   */
  cancel(
    id: string,
    { tag, urgent, origin, onlyIfQueued = false }: CancelAbandonedOptions = {},
  ): Observable<CancelOutcome> {
    const key = `${id}/${onlyIfQueued}`;
    const underWay = this.#cancels.get(key);
    if (underWay) return underWay;

    const { client, jobs, id: endpointId = '' } = this.#endpoint;
    const { scheduler } = client.settings;
    const outcome$ = new AsyncSubject<CancelOutcome>();
    this.#cancels.set(key, outcome$);
    const pending = client.pendingCancels.track();
    const callState = client.newCallState({ origin: jobs.get(id)?.origin ?? origin });
    const names = { endpointId, operation: 'cancel', jobId: id, tag };
    client.report(names, callState, { type: 'cancel', outcome: 'started' });

    const turns$ = new ReplaySubject<Turn>(1);
    const isKnownOver = () => !!jobs.get(id)?.over;
    const onStart = (state: CallState) => {
      state.onTurn = (turn) => {
        turns$.next(turn);
      };
    };
    const meta = { tag, urgent, origin, ownership: 'abandoned-cancel', onStart } as const;
    const onCancelStart = (state: CallState) => {
      // The job may end while its cancel waits for its turn.
      state.isObsolete = isKnownOver;
      onStart(state);
    };
    const cancel = () => this.#endpoint.call({ ...meta, operation: 'cancel', jobId: id, onStart: onCancelStart });
    const read = () => jobs.read(id, { options: {}, meta });
    const confirmed$ = cancelUntilConfirmed(cancel, read, {
      scheduler,
      turns$,
      onlyIfQueued,
      // Of jobs that are abandoned together, those that run are in line before the others ask for their turn.
      letOthersGoFirst: urgent === false,
      isKnownOver,
    });
    // Another reader may be told first that the job is over.
    const over$ = jobs.snapshotsOf(id).pipe(filter(isTerminal), map(outcomeOf));
    merge(confirmed$, over$)
      .pipe(
        take(1),
        tap(({ outcome }) => {
          const ref = { v: 1, endpointId, id, submittedAt: jobs.get(id)?.submissionDate, tag } as const;
          if (outcome !== 'running') client.pendingCancels.record(outcome, ref);
          client.report(names, callState, { type: 'cancel', outcome });
          jobs.refresh(id);
        }),
        finalize(() => {
          this.#cancels.delete(key);
          pending.unsubscribe();
        }),
      )
      .subscribe(outcome$);
    return outcome$;
  }
}

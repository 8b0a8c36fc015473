import { ReplaySubject, defer, map, share, type Observable } from 'rxjs';
import type { JobSnapshot } from '../../index.js';
import { goesOn, notSent } from './detachJob.js';
import type { Session } from './Session.js';
import type { GoesOn } from './Work.js';

/** A submission by a single call, whose job is cancelled where its subscriber leaves before the answer, unless it is detached. */
export class Submission {
  readonly #session: Session;
  readonly #endpointId: string;
  #answer$: Observable<JobSnapshot> | undefined;

  constructor(session: Session, endpointId: string) {
    this.#session = session;
    this.#endpointId = endpointId;
  }

  /** Submits once; emits the answer. */
  send(submission$: Observable<JobSnapshot>): Observable<JobSnapshot> {
    return defer(() => {
      this.#answer$ = submission$.pipe(
        // It is never sent again, whoever subscribes.
        share({ connector: () => new ReplaySubject(1), resetOnError: false, resetOnComplete: false }),
      );
      return this.#answer$;
    });
  }

  /** Has the answer waited for, if it was sent, and the job go on. Acts at the call. */
  detach(): Observable<GoesOn> {
    // What was not sent is withdrawn.
    if (!this.#answer$ || !this.#session.mayHaveJob) return notSent();
    const answer$ = new ReplaySubject<JobSnapshot>(1);
    this.#answer$.subscribe(answer$);
    return answer$.pipe(map(({ id }) => goesOn(this.#endpointId, id)));
  }
}

import {
  ReplaySubject,
  catchError,
  defer,
  filter,
  finalize,
  map,
  merge,
  of,
  repeat,
  share,
  startWith,
  subscribeOn,
  switchMap,
  take,
  tap,
  timeout,
  timer,
  type Observable,
} from 'rxjs';
import type { Budget, BudgetedRequests } from '../index.js';
import { BudgetMember } from './BudgetMember.js';
import type { BudgetTerms } from './BudgetOptions.js';
import type { LeaseStore } from './LeaseStore.js';

/** The least pause between two reports of a member, in milliseconds, however many requests wait. */
const MIN_PAUSE = 50;

/** How long a part is held that is not used, in milliseconds: the next request often follows at once. */
const LINGER = 100;

/** A budget over a store that all its processes reach. */
export function budgetOver(store: LeaseStore, terms: BudgetTerms): Budget {
  return {
    acquire: (endpointId, operation, requests) => {
      const name = `${endpointId}/${operation}`;
      const member = new BudgetMember(requests, terms, operation === 'cancel');
      const leave = () => {
        if (!member.hasReported) return;
        // Nobody waits for the answer. Where the store is not reached, it forgets the member by itself.
        defer(() => store.exchange(name, member.farewell())).subscribe({ error: () => undefined });
      };
      const lease$ = defer(() => {
        member.prepare();
        // Cancels have a lease before the first report.
        const reported$ = reportAgainAndAgain(store, name, member, requests, terms).pipe(startWith(undefined));
        return reported$.pipe(
          map(() => member.lease),
          filter((one) => one !== undefined),
          finalize(leave),
        );
      });
      const { scheduler } = requests;
      return lease$.pipe(
        share({ connector: () => new ReplaySubject(1), resetOnRefCountZero: () => timer(LINGER, scheduler) }),
      );
    },
  };
}

/** Reports to the store, and emits when the member has the answer, or knows that there is none. */
function reportAgainAndAgain(
  store: LeaseStore,
  name: string,
  member: BudgetMember,
  { scheduler, waits$ }: BudgetedRequests,
  { lease }: BudgetTerms,
): Observable<unknown> {
  const report$ = defer(() => {
    const reportedAt = scheduler.now();
    return defer(() => store.exchange(name, member.report())).pipe(
      tap((answer) => {
        member.accept(answer, reportedAt);
      }),
      timeout({ first: lease / 2, scheduler }),
      catchError(() => {
        member.miss(reportedAt);
        return of(undefined);
      }),
    );
  });
  const hurry$ = timer(MIN_PAUSE, scheduler).pipe(
    switchMap(() => waits$.pipe(startWith(undefined))),
    filter(() => member.hurries),
  );
  const due$ = defer(() => merge(timer(member.pause, scheduler), hurry$).pipe(take(1)));
  // Not at once: more requests often come in the same turn.
  return report$.pipe(subscribeOn(scheduler), repeat({ delay: () => due$ }));
}

import { Observable, catchError, concatMap, defer, map, of, tap } from 'rxjs';
import { reportUnhandled } from '../../errors/reportUnhandled.js';
import { isRunpodError, type CallOptions, type JobRequest, type JobSnapshot, type Reply } from '../../index.js';
import { isJobId } from '../../protocol/checks.js';
import { errorAnswer } from '../jsonAnswer.js';
import { jobAnswer } from './answers.js';
import { cancelForGood } from './cancelForPage.js';
import { waitOf, type EndpointProxy } from './EndpointProxy.js';
import { NOT_SENT, errorResponse } from './errorResponse.js';
import { eventually } from '../eventually.js';
import { onToItsEnd } from './onToItsEnd.js';
import { outcomeAnswer, outcomeOf, type Outcome } from './passOn.js';
import { pageRequest } from './pageRequest.js';
import type { QuotaLease } from './Quotas.js';
import type { Route } from './route.js';

/** A submission of a page. */
export interface PageSubmission {
  readonly proxy: EndpointProxy;
  readonly route: Route;
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly user: string;
}

/** How a submission is sent. */
interface Sending {
  readonly send: Send;
  readonly lease: QuotaLease;
  /** The URL that the service is told, which no page may read. */
  readonly webhook: string | undefined;
}

/** What became of a submission: the job, where it was accepted, and the service's answer. */
interface Submitted {
  readonly job: JobSnapshot | undefined;
  readonly outcome: Outcome;
}

/** Sends a submission. */
type Send = (options: Pick<CallOptions, 'onReply'>) => Observable<JobSnapshot>;

/**
 * Submits a page's job, or runs a job again, and emits the page's answer: the service's own, or for `/runsync` the job once
 * it is over or the time is up. A job belongs to its user before the page has the answer. Never errors.
 *
 * Unsubscribing means that the page has left, and nobody knows the job: as the proxy's option says, the job is cancelled, or
 * what was begun goes on to its end without the page.
 */
export function submitForPage(submission: PageSubmission): Observable<Response> {
  const { proxy, route, request, user } = submission;
  const { quotas, onDisconnect, options, maxBody } = proxy.given;
  const { id } = route;
  const made$: Observable<JobRequest<object> | undefined> =
    id === undefined ? pageRequest({ request, user, options, maxBody }) : of(undefined);
  return made$.pipe(
    concatMap((made) =>
      quotas.lease(user, proxy.reads).pipe(
        concatMap((lease) => {
          const send: Send = (call) => {
            if (made) return proxy.endpoint.run(made as JobRequest, call);
            // Also where its answer is lost, what was known of the job is out of date.
            proxy.forget(id ?? '');
            return proxy.endpoint.retry(id ?? '', call);
          };
          const answer$ = submit(submission, { send, lease, webhook: made?.webhook });
          return onDisconnect === 'detach' ? onToItsEnd(proxy, answer$) : answer$;
        }),
      ),
    ),
    catchError((error: unknown) => of(errorResponse(error))),
  );
}

function submit(submission: PageSubmission, { send, lease, webhook }: Sending): Observable<Response> {
  const { proxy, route, user, query } = submission;
  const { endpointId, owners, events } = proxy.given;
  return new Observable((subscriber) => {
    let accepted: JobSnapshot | undefined;
    let isAnswered = false;
    let hasLeft = false;
    /** Whether the job is this submission's alone: no page has its id yet. */
    let isUnclaimed = false;
    subscriber.add(() => {
      hasLeft = !isAnswered;
      if (isAnswered) lease.answered(accepted?.id);
      else lease.abandoned();
      if (accepted && isUnclaimed) cancelForGood(proxy, accepted.id);
    });
    const held$ = (job: JobSnapshot) =>
      proxy.reads.hold(job.id, waitOf(query)).pipe(
        // The job runs, whatever became of reading it.
        catchError(() => of(job)),
        map((latest) => jobAnswer(proxy.texts.of(latest))),
      );
    const sendCounted: Send = ({ onReply }) =>
      send({
        onReply: (reply) => {
          onReply?.(reply);
          if (hasLeft) lease.answered(jobIdIn(reply));
        },
      });
    submittedBy(sendCounted)
      .pipe(
        concatMap(({ job, outcome }) => {
          isAnswered = true;
          if (!job) return of(unsentAnswer(outcome) ?? outcomeAnswer(outcome, webhook));
          accepted = job;
          isUnclaimed = true;
          // Until now, others may have asked for what was left of the run before.
          proxy.forget(job.id);
          proxy.reads.remember(job);
          return eventually(() => owners.set({ endpointId, id: job.id }, user)).pipe(
            tap(() => events?.submitted(user, proxy, job)),
            concatMap(() => (route.operation === 'runsync' ? held$(job) : of(outcomeAnswer(outcome, webhook)))),
          );
        }),
        tap(() => {
          isUnclaimed = false;
        }),
        catchError((error: unknown) => {
          reportUnhandled(error);
          return of(errorAnswer(500, 'the owner of the job could not be kept, so the job is cancelled'));
        }),
      )
      .subscribe(subscriber);
  });
}

/** The id of the job that an answer names. */
function jobIdIn({ text }: Reply): string | undefined {
  try {
    const { id } = Object(JSON.parse(text)) as { readonly id?: unknown };
    return isJobId(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

function submittedBy(send: Send): Observable<Submitted> {
  return defer(() => {
    let job: JobSnapshot | undefined;
    const call: Send = (options) =>
      send(options).pipe(
        tap((snapshot) => {
          job = snapshot;
        }),
      );
    return outcomeOf(call).pipe(map((outcome) => ({ job, outcome })));
  });
}

/**
 * The answer where something of the server's own has failed, such as a link: the client has errors of its own for all that
 * was sent.
 */
function unsentAnswer(outcome: Outcome): Response | undefined {
  if ('reply' in outcome || isRunpodError(outcome.error)) return undefined;
  reportUnhandled(outcome.error);
  return errorAnswer(NOT_SENT, 'the job was not sent');
}

import {
  catchError,
  concat,
  defer,
  from,
  isObservable,
  map,
  mergeMap,
  noop,
  of,
  takeLast,
  takeWhile,
  defaultIfEmpty,
} from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';
import { fromAsyncIterable } from './fromAsyncIterable.js';
import { inRealTime } from './inRealTime.js';
import type { WorkerReport } from './JobModel.js';
import { raised, raisedInGenerator } from './pythonError.js';
import { PROMISE_IN_VIRTUAL_TIME } from './virtualTime.js';
import { plain, saysError, workerReport } from './workerReport.js';

/** What a worker reports of its handler. The last event is always `done`. */
export type WorkEvent =
  { readonly kind: 'chunk'; readonly value: unknown } | { readonly kind: 'done'; readonly report: WorkerReport };

/** How a handler's result becomes events. */
export interface HandlerMode {
  readonly workerId: string;
  readonly stream: boolean;
  readonly aggregate: boolean;
  /** The `output` of a stream that is not aggregated: an empty list, or none. */
  readonly streamed: 'empty' | 'absent';
  readonly scheduler: SchedulerLike;
  /** Whether time is virtual: then a promise fails the job at once. */
  readonly virtual: boolean;
}

const done = (report: WorkerReport): WorkEvent => ({ kind: 'done', report });

/** Calls a handler and emits the events of what it returns. Never errors: a throw becomes a report. */
export function runHandler(work: () => unknown, mode: HandlerMode): Observable<WorkEvent> {
  return defer(() => understand(work(), mode)).pipe(
    catchError((error: unknown) =>
      of(done({ error: mode.stream ? raisedInGenerator(error) : raised(error, mode.workerId) })),
    ),
  );
}

function understand(returned: unknown, mode: HandlerMode): Observable<WorkEvent> {
  if (isObservable(returned)) return mode.stream ? chunked(returned, mode) : single(returned);
  if (mode.virtual) refusePromise(returned);
  if (isAsyncIterable(returned)) return chunked(inRealTime(fromAsyncIterable(returned), mode.scheduler), mode);
  if (isGenerator(returned)) return chunked(from(returned), mode);
  if (isPromiseLike(returned))
    return inRealTime(from(returned), mode.scheduler).pipe(mergeMap((value) => understand(value, mode)));
  return of(done(workerReport(returned)));
}

/** Throws where a handler's result cannot come in virtual time. */
function refusePromise(returned: unknown): void {
  if (!isAsyncIterable(returned) && !isPromiseLike(returned)) return;
  // Nobody waits for what the handler still does, so its failure is nobody's.
  if (isPromiseLike(returned)) returned.then(noop, noop);
  throw new TypeError(PROMISE_IN_VIRTUAL_TIME);
}

function single(values$: Observable<unknown>): Observable<WorkEvent> {
  return values$.pipe(
    takeLast(1),
    defaultIfEmpty(undefined),
    map((value) => done(workerReport(value))),
  );
}

function chunked(values$: Observable<unknown>, mode: HandlerMode): Observable<WorkEvent> {
  return defer(() => {
    const all: unknown[] = [];
    let failure: WorkerReport | undefined;
    const chunks$ = values$.pipe(
      map((value) => plain(value) ?? null),
      // A chunk with an `error` is not posted: it ends the stream and fails the job.
      takeWhile((value) => {
        if (saysError(value)) failure = { error: value.error };
        return !failure;
      }),
      map((value): WorkEvent => {
        if (mode.aggregate) all.push(value);
        return { kind: 'chunk', value };
      }),
    );
    const output = (): unknown => {
      if (mode.aggregate) return all;
      return mode.streamed === 'empty' ? [] : undefined;
    };
    return concat(
      chunks$,
      defer(() => of(done(failure ?? { output: output() }))),
    );
  }).pipe(catchError((error: unknown) => of(done({ error: raisedInGenerator(error) }))));
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** A generator object. Arrays, strings and sets are values, not streams. */
function isGenerator(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value;
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

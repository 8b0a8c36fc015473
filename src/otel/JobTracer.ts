import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { Activity, CallOrigin, EndedActivity, RequestActivity } from '../index.js';
import { ATTR, OWN, SYSTEM } from './attributes.js';
import { ParentProbe } from './ParentProbe.js';

/** What is traced of one call of a method. */
interface TracedCall {
  /** What was active where the method was called; then with the job's span. */
  context: Context;
  /** When the submission began to wait for its turn, in milliseconds since 1970. */
  waitingSince?: number;
  /** The job's span, while it is open. */
  span?: Span | undefined;
}

/** A request that is on its way. */
interface OpenRequest {
  readonly request: RequestActivity;
  readonly probe: ParentProbe;
}

/** Makes spans of what a client does. */
export class JobTracer {
  readonly #tracer: Tracer;
  readonly #traces = new WeakMap<CallOrigin, TracedCall>();
  readonly #openSpans = new Set<Span>();
  /** By call: one attempt of a call is on its way at a time. */
  readonly #requests = new Map<number, OpenRequest>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** A method is called. What is active now is the parent of all that comes of it, or what was where its caller called. */
  called(origin: CallOrigin): void {
    const caller = origin.caller && this.#traces.get(origin.caller);
    this.#traces.set(origin, { context: caller?.context ?? context.active() });
  }

  /** Sends a request in the context that it belongs to, so that an instrumentation of HTTP finds the right parent. */
  send(request: RequestActivity, send: () => void): void {
    const parent = this.#contextOf(request);
    const probe = new ParentProbe(trace.getSpan(parent));
    this.#requests.set(request.call, { request, probe });
    context.with(trace.setSpan(parent, probe), send);
  }

  /** Something happened. */
  record(event: Activity): void {
    const traced = event.origin && this.#traces.get(event.origin);
    switch (event.type) {
      case 'wait':
        if (traced && isSubmission(event)) traced.waitingSince ??= event.at;
        break;
      case 'request':
        if (traced && isSubmission(event)) this.#startJob(event, traced);
        break;
      case 'reply':
        this.#endRequest(
          event,
          { [ATTR.httpStatus]: event.status },
          event.status >= 400 ? String(event.status) : undefined,
        );
        break;
      case 'failure':
        this.#endRequest(event, {}, 'connection', event.message);
        break;
      case 'abort':
        this.#endRequest(event, {});
        break;
      case 'submitted':
        traced?.span?.setAttribute(ATTR.messageId, event.jobId);
        // After these calls the job is the caller's, who may never read it.
        if (event.origin?.method === 'run' || event.origin?.method === 'retry') this.#end(traced, event.at);
        break;
      case 'error':
        // A job that is gone has no other end.
        if (isSubmission(event) || (event.operation === 'status' && event.code === 'job_expired'))
          this.#fail(traced, event.at, event.code);
        break;
      case 'ended':
        this.#endJob(event, traced);
        break;
      case 'detached':
        this.#end(traced, event.at);
        break;
      default:
        break;
    }
  }

  /** Ends all spans that are open. */
  end(): void {
    for (const span of this.#openSpans) span.end();
    this.#openSpans.clear();
    this.#requests.clear();
  }

  #contextOf({ origin }: Activity): Context {
    // What no caller asked for, such as the shared reading of health, belongs to nobody, whosever timer it is.
    return (origin && this.#traces.get(origin)?.context) ?? ROOT_CONTEXT;
  }

  /** The span of a job begins with its submission, or with its waiting for a turn. */
  #startJob(event: RequestActivity, traced: TracedCall): void {
    if (traced.span) return;
    const { endpointId, operation, tag, jobId, origin } = event;
    const options = {
      kind: SpanKind.PRODUCER,
      startTime: new Date(traced.waitingSince ?? event.at),
      attributes: {
        [ATTR.system]: SYSTEM,
        [ATTR.operationName]: operation,
        [ATTR.operationType]: 'send',
        [ATTR.destination]: endpointId,
        [OWN.method]: origin?.method,
        [OWN.tag]: tag,
        [ATTR.messageId]: jobId,
      },
    };
    const span = this.#tracer.startSpan(`${operation} ${endpointId}`, options, traced.context);
    traced.span = span;
    traced.context = trace.setSpan(traced.context, span);
    this.#openSpans.add(span);
  }

  #endJob({ at, jobId, status, queueTime, executionTime }: EndedActivity, traced: TracedCall | undefined): void {
    traced?.span?.setAttributes({
      [ATTR.messageId]: jobId,
      [OWN.status]: status,
      [OWN.queueTime]: seconds(queueTime),
      [OWN.executionTime]: seconds(executionTime),
    });
    if (status === 'FAILED' || status === 'TIMED_OUT') this.#fail(traced, at, status);
    else this.#end(traced, at);
  }

  #fail(traced: TracedCall | undefined, at: number, type: string): void {
    traced?.span?.setAttribute(ATTR.errorType, type).setStatus({ code: SpanStatusCode.ERROR });
    this.#end(traced, at);
  }

  #end(traced: TracedCall | undefined, at: number): void {
    if (!traced?.span) return;
    // Of a number, the SDK has to guess what it counts from.
    traced.span.end(new Date(at));
    this.#openSpans.delete(traced.span);
    traced.span = undefined;
  }

  /** The span of a request, unless an instrumentation of HTTP has made one. Only now is it known whether one has. */
  #endRequest(event: Activity, attributes: Record<string, number>, errorType?: string, message?: string): void {
    const open = this.#requests.get(event.call);
    this.#requests.delete(event.call);
    if (!open || open.probe.isParent) return;
    const { request } = open;
    const options = {
      kind: SpanKind.CLIENT,
      startTime: new Date(request.at),
      attributes: {
        [ATTR.httpMethod]: request.method,
        [ATTR.urlPath]: request.path,
        [OWN.operation]: request.operation,
        ...(request.attempt > 1 && { [ATTR.httpResend]: request.attempt - 1 }),
        ...attributes,
        ...(errorType && { [ATTR.errorType]: errorType }),
      },
    };
    const span = this.#tracer.startSpan(request.method, options, this.#contextOf(request));
    if (errorType) span.setStatus({ code: SpanStatusCode.ERROR, ...(message && { message }) });
    span.end(new Date(event.at));
  }
}

function isSubmission({ operation }: Activity): boolean {
  return operation === 'run' || operation === 'runsync' || operation === 'retry';
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}

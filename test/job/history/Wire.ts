import { Observable, type SchedulerLike } from 'rxjs';
import type { Reply, Transport, TransportRequest } from 'runpod-rx';
import { pages } from '../../support/hostile.js';

/** One request of a client, and its answer as the client received it. */
export interface Exchange {
  /** Counts the steps on the wire and in the test; sending and answering are a step each. */
  readonly sent: number;
  readonly at: number;
  readonly client: number;
  readonly endpointId: string;
  /** A held read is a `status`, too. */
  readonly operation: string;
  /** Whether the service may hold the answer until the job ends. */
  readonly held: boolean;
  /** The job that the request names, or that its answer named. */
  jobId?: string;
  /** Which job of the history the request submits. */
  readonly nth?: number;
  /** When the client received the answer, or the failure. */
  given?: number;
  endedAt?: number;
  http?: number;
  /** The failure's phase. */
  failed?: 'connect' | 'sent';
  aborted?: boolean;
  /** Whether the page of a gateway came in place of an answer. */
  page?: boolean;
  /** Whether the answer is about another job. */
  foreign?: boolean;
  /** The answer's body, where it could be read, and is about this job. */
  body?: {
    readonly id?: string;
    readonly status?: string;
    readonly output?: unknown;
    readonly stream?: readonly unknown[];
  };
}

/** Records all requests and answers, as the clients see them. */
export class Wire {
  readonly exchanges: Exchange[] = [];
  readonly #scheduler: SchedulerLike;
  #steps = 0;

  constructor(scheduler: SchedulerLike) {
    this.#scheduler = scheduler;
  }

  /** Also orders what happens within one moment. */
  step(): number {
    return ++this.#steps;
  }

  through(transport: Transport, client: number): Transport {
    return (request) =>
      new Observable<Reply>((subscriber) => {
        const exchange = this.#open(request, client);
        const end = () => {
          exchange.given = this.step();
          exchange.endedAt = this.#scheduler.now();
        };
        subscriber.add(
          transport(request).subscribe({
            next: (reply) => {
              end();
              exchange.http = reply.status;
              exchange.page = isPage(reply.text);
              const body = exchange.page ? undefined : bodyOf(reply.text);
              exchange.foreign = (exchange.jobId ?? body?.id) !== (body?.id ?? exchange.jobId);
              if (body && !exchange.foreign) exchange.body = body;
              if (body?.id !== undefined && reply.status < 300) exchange.jobId ??= body.id;
              subscriber.next(reply);
            },
            error: (error: { phase: 'connect' | 'sent' }) => {
              end();
              exchange.failed = error.phase;
              subscriber.error(error);
            },
            complete: () => {
              subscriber.complete();
            },
          }),
        );
        return () => {
          if (exchange.given !== undefined) return;
          end();
          exchange.aborted = true;
        };
      });
  }

  #open({ url, body }: TransportRequest, client: number): Exchange {
    const [endpointId = '', operation = '', jobId] = url
      .replace(/^.*\/v2\//, '')
      .replace(/\?.*/, '')
      .split('/');
    const { input } = (body ? JSON.parse(body) : {}) as { input?: { nth: number } };
    const exchange: Exchange = {
      sent: this.step(),
      at: this.#scheduler.now(),
      client,
      endpointId,
      operation: operation === 'status-sync' ? 'status' : operation,
      held: operation === 'status-sync',
      ...(jobId !== undefined && { jobId }),
      ...(input && { nth: input.nth }),
    };
    this.exchanges.push(exchange);
    return exchange;
  }
}

const pageTexts: ReadonlySet<string> = new Set(Object.values(pages).map(({ text }) => text));

function isPage(text: string): boolean {
  return pageTexts.has(text) || text.startsWith('<');
}

function bodyOf(text: string): Exchange['body'] {
  try {
    const body = JSON.parse(text) as unknown;
    return typeof body === 'object' && body !== null ? body : undefined;
  } catch {
    return undefined;
  }
}

const TERMINAL = ['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT'];

export const isOver = (status: string | undefined) => status !== undefined && TERMINAL.includes(status);

/** Whether the client received an answer that says that the job is over. */
export const saysOver = ({ http = 0, body }: Exchange) => http < 300 && isOver(body?.status);

/** Whether the server may have acted on the request. */
export const mayActed = ({ http, failed }: Exchange) =>
  failed !== 'connect' && !(http !== undefined && http >= 400 && http < 500 && http !== 408);

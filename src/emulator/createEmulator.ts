import { asyncScheduler, defer, map, mergeMap, noop, of, reduce } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Transport } from '../types/Transport.js';
import type { EmulatorOptions } from './EmulatorOptions.js';
import type { FaultControl } from './faults/FaultControl.js';
import type { FaultRule } from './faults/FaultRule.js';
import { control, isControl } from './inspect/control.js';
import type { EmulatorState } from './inspect/EmulatorState.js';
import { RequestCounter } from './inspect/RequestCounter.js';
import type { JobRecord } from './JobRecord.js';
import type { Answer } from './model/answers.js';
import type { EmulatorRequest } from './model/EmulatorRequest.js';
import { Platform } from './model/Platform.js';
import { table } from './operations/table.js';
import type { RequestRecord } from './RequestRecord.js';

/** A local RunPod. */
export interface Emulator {
  /**
   * Gives requests to the emulator without a network: pass it to `createRunpod`. Any base URL will do. Cold, one answer;
   * unsubscribing is a client that goes away. It honours `EmulatorOptions.latency`, and takes all its time from
   * `EmulatorOptions.scheduler`. Where a fault breaks the network it errors with an `Error` that has `phase` and `code`.
   */
  readonly transport: Transport;
  /** Answers one request; what the transport and the server are made of. A request for `/__emulator/…` too. */
  handle(request: EmulatorRequest): Observable<Answer>;
  /** What truly happened to every job so far, oldest first. */
  jobs(): readonly JobRecord[];
  /** Every request so far, oldest first, those still on their way included. */
  requests(): readonly RequestRecord[];
  /** Emits each request when it is over: answered, failed, or aborted. Completes when the emulator is closed. */
  readonly requests$: Observable<RequestRecord>;
  /** Endpoints, counts of requests, and faults at this moment: the same as `GET /__emulator/state`. */
  state(): EmulatorState;
  /** The faults that are there; they come and go while the emulator runs. */
  readonly faults: FaultControl;
  /** Adds a fault from now on; calling what it returns takes it away again. Its `nth` counts from now. */
  inject(rule: FaultRule): () => void;
  /** Stops all work and every timer. Held requests lose their connection, later ones find none. */
  close(): void;
}

/**
 * Makes a local RunPod in this process. Nothing happens before the first request. It needs no network, no Node and, given a
 * virtual scheduler, no time.
 *
 * ```ts
 * const emulator = createEmulator({
 *   endpoints: { demo: { handler: ({ input }, { delay }) => delay(5_000).pipe(map(() => ({ echo: input }))) } },
 * });
 * ```
 */
export function createEmulator(options: EmulatorOptions): Emulator {
  const platform = new Platform(options, options.scheduler ?? asyncScheduler);
  const { latency = 0 } = options;
  const { faults, ledger } = platform;
  const counter = new RequestCounter((operation) => table.has(operation));
  // It never errors.
  ledger.requests$.subscribe({ next: (request) => counter.count(request), error: noop });

  const inspected = {
    faults,
    jobs: () => {
      platform.ageJobs();
      return ledger.jobs();
    },
    requests: () => ledger.requests(),
    state: () => ({
      now: (options.scheduler ?? asyncScheduler).now(),
      endpoints: platform.health(),
      requests: counter.counts(),
      faults: faults.list(),
    }),
  };
  const handle = (request: EmulatorRequest, travel = 0): Observable<Answer> =>
    defer(() => (isControl(request) ? of(control(request, inspected)) : platform.handle(request, travel)));
  const transport: Transport = (sent) =>
    defer(() => {
      const { method, url, headers, body } = sent;
      const request = { method, url, headers, ...(body !== undefined && { body }) };
      return handle(request, typeof latency === 'number' ? latency : latency(request));
    }).pipe(
      mergeMap(whole),
      map(({ status, headers, text }) => ({ status, headers, text })),
    );
  return {
    ...inspected,
    transport,
    handle: (request) => handle(request),
    requests$: ledger.requests$,
    inject: (rule) => {
      const ids = faults.add([rule]);
      return () => void faults.remove(ids);
    },
    close: () => platform.close(),
  };
}

/** An answer when its last piece has come. */
function whole(answer: Answer): Observable<Answer> {
  const { body$, ...rest } = answer;
  if (!body$) return of(answer);
  return body$.pipe(
    reduce((text, piece) => text + piece, ''),
    map((text) => ({ ...rest, text })),
  );
}

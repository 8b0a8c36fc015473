import { defer, map, mergeMap, noop, of, reduce } from 'rxjs';
import type { Observable } from 'rxjs';
import type { Transport } from '../types/Transport.js';
import { EMULATOR, assertDuration, assertOptions } from './checkOptions.js';
import type { EmulatorOptions } from './EmulatorOptions.js';
import type { FaultControl } from './faults/FaultControl.js';
import type { FaultRule } from './faults/FaultRule.js';
import { control, isControl } from './inspect/control.js';
import type { EmulatorState } from './inspect/EmulatorState.js';
import type { Inspection } from './inspect/Inspection.js';
import { RequestCounter } from './inspect/RequestCounter.js';
import type { JobRecord } from './JobRecord.js';
import type { Answer } from './model/answers.js';
import type { EmulatorRequest } from './model/EmulatorRequest.js';
import { withLongDelays } from './model/longDelays.js';
import { Platform } from './model/Platform.js';
import { randomSeed } from './model/random.js';
import { table } from './operations/table.js';
import type { RequestRecord } from './RequestRecord.js';
import { assertVirtualHandlers } from './model/virtualTime.js';
import { datedScheduler } from '../time/clocks.js';

/** A local RunPod. */
export interface Emulator {
  /**
   * Sends requests to the emulator without a network: pass it to `createRunpod`. Any base URL works. The returned
   * Observable is cold and emits one answer. Unsubscribing counts as a client that disconnects. The transport uses no clock
   * but `EmulatorOptions.scheduler`. If a fault breaks the network, the Observable errors with an `Error` that has `phase`
   * and `code`.
   */
  readonly transport: Transport;
  /**
   * Answers one request, also one for `/__emulator/…`, with the `latency` of the options. The transport and the server use
   * this method.
   */
  handle(request: EmulatorRequest): Observable<Answer>;
  /** What happened to each job so far, oldest first, even if a fault made answers show something else. */
  jobs(): readonly JobRecord[];
  /** Every request so far, oldest first, including requests that are still in flight. */
  requests(): readonly RequestRecord[];
  /** Emits each request when it has been answered, has failed or was aborted. Completes when the emulator is closed. */
  readonly requests$: Observable<RequestRecord>;
  /** The endpoints, the counts of requests and the faults at this moment, as `GET /__emulator/state` answers. */
  state(): EmulatorState;
  /** The seed of ids and faults: the given one, or the one that was chosen. It repeats the run. */
  readonly seed: number | string;
  /** Lists, adds and removes faults while the emulator runs. Adding throws a `TypeError` if a rule cannot be carried out. */
  readonly faults: FaultControl;
  /**
   * Adds a fault. Returns a function that removes the fault. Its `nth` counts from now. Throws a `TypeError` if the rule
   * cannot be carried out.
   */
  inject(rule: FaultRule): () => void;
  /** Stops all work and every timer. Held requests lose their connection; later requests are refused a connection. */
  close(): void;
}

/**
 * Makes a local RunPod in this process. Nothing happens before the first request. The emulator needs no network and no
 * Node; with a virtual scheduler it does not wait in real time.
 *
 * Throws a `TypeError` that names every mistake in the options, and for an `async` handler with a virtual scheduler.
 *
 * ```ts
 * const emulator = createEmulator({
 *   endpoints: { demo: { handler: ({ input }, { delay }) => delay(5_000).pipe(map(() => ({ echo: input }))) } },
 * });
 * ```
 */
export function createEmulator(options: EmulatorOptions): Emulator {
  return createInspected(options).emulator;
}

/** The same, with what the dashboard needs of it. */
export function createInspected(options: EmulatorOptions): {
  readonly emulator: Emulator;
  readonly inspection: Inspection;
} {
  assertOptions(options, EMULATOR);
  assertVirtualHandlers(options);
  const { latency = 0, seed = randomSeed() } = options;
  const scheduler = datedScheduler(options.scheduler);
  const platform = new Platform({ ...options, seed }, withLongDelays(scheduler));
  const { faults, ledger } = platform;
  const counter = new RequestCounter((operation) => table.has(operation));
  // `requests$` never errors.
  ledger.requests$.subscribe({ next: (request) => counter.count(request), error: noop });

  const inspected = {
    faults,
    jobs: () => {
      platform.ageJobs();
      return ledger.jobs();
    },
    requests: () => ledger.requests(),
    state: () => ({
      now: scheduler.now(),
      endpoints: platform.health(),
      requests: counter.counts(),
      faults: faults.list(),
    }),
  };
  const handle = (request: EmulatorRequest): Observable<Answer> =>
    defer(() => {
      if (isControl(request)) return of(control(request, inspected));
      const travel = typeof latency === 'number' ? latency : latency(request);
      assertDuration(travel, 'latency');
      return platform.handle(request, travel);
    });
  const transport: Transport = (outgoing) =>
    defer(() => {
      const { method, url, headers, body } = outgoing;
      const request = { method, url, headers, ...(body !== undefined && { body }) };
      return handle(request);
    }).pipe(
      mergeMap(withWholeText),
      map(({ status, headers, text }) => ({ status, headers, text })),
    );
  transport.multiplexes = true;
  const inspection: Inspection = {
    state: inspected.state,
    jobs: () => ledger.jobModels(),
    requests: () => ledger.openRecords(),
    statusOf: (job) => platform.statusOf(job),
    handle: (request, onJobCreated) => platform.handleUnrecorded(request, onJobCreated),
  };
  const emulator: Emulator = {
    ...inspected,
    transport,
    handle,
    seed,
    requests$: ledger.requests$,
    inject: (rule) => {
      const ids = faults.add([rule]);
      return () => void faults.remove(ids);
    },
    close: () => platform.close(),
  };
  return { emulator, inspection };
}

/** Collects an answer that comes in pieces; emits it after the last piece. */
function withWholeText(answer: Answer): Observable<Answer> {
  const { body$, ...rest } = answer;
  if (!body$) return of(answer);
  return body$.pipe(
    reduce((text, piece) => text + piece, ''),
    map((text) => ({ ...rest, text })),
  );
}

import { RESPONSE_INIT, TransferState, inject, makeStateKey } from '@angular/core';
import { SubmissionUnknownError, type JobRef, type JobSnapshot } from '../index.js';
import { isPlain, sameJson } from '../protocol/json.js';
import type { KnownState } from './JobSignals.js';

/** A job that a server has submitted while it rendered the page, in the HTML. */
interface Handover {
  readonly endpointId: string | undefined;
  readonly request: unknown;
  /** Absent where the answer to the submission was lost: the page must not submit again by itself. */
  readonly ref?: JobRef;
  readonly lost?: string;
  readonly snapshot?: JobSnapshot;
  readonly chunks?: readonly unknown[];
  readonly hasMoreChunks?: boolean;
}

/** A job that the page takes over, and what is known of it. */
export interface TakenOver {
  readonly ref: JobRef | undefined;
  readonly known: KnownState;
}

/** The jobs that a server hands over to the page. */
export interface Handovers {
  /** On a server: adds a job to the HTML, which is then one user's alone. */
  add(handover: Handover): void;
  /**
   * In a page: the job that the server has submitted for an equal request, once.
   *
   * @param request - as JSON carries it
   */
  take(endpointId: string | undefined, request: unknown): TakenOver | undefined;
}

const KEY = makeStateKey<readonly Handover[]>('runpod-rx');

export function handovers(): Handovers {
  const state = inject(TransferState);
  const response = inject(RESPONSE_INIT, { optional: true });
  return {
    add: (handover) => {
      state.set(KEY, [...state.get(KEY, []), carried(handover)]);
      if (!response) return;
      const headers = new globalThis.Headers(response.headers);
      headers.set('cache-control', 'private, no-store');
      response.headers = headers;
    },
    take: (endpointId, request) => {
      const all = state.get(KEY, []);
      const found = all.find((one) => one.endpointId === endpointId && sameJson(one.request, request));
      if (!found) return undefined;
      const others = all.filter((one) => one !== found);
      state.set(KEY, others);
      const { ref, lost, snapshot, chunks, hasMoreChunks = false } = found;
      const context = { operation: 'run', endpointId, accepted: 'unknown' } as const;
      const error = lost === undefined ? undefined : new SubmissionUnknownError(lost, context);
      return {
        ref,
        known: {
          ...(snapshot && { snapshot }),
          ...(chunks && { chunks }),
          hasMoreChunks,
          // Each class has the code that its type says.
          ...(error && { error: error as never }),
        },
      };
    },
  };
}

/**
 * What JSON can carry. A parser or a schema of the caller's own may give what it cannot: an integer, which would keep
 * everything from the page, or a date. The page reads such a state itself, and chunks are a gap for it.
 */
function carried(handover: Handover): Handover {
  if (isCarried(handover)) return handover;
  const { snapshot: _, chunks, ref, ...others } = handover;
  if (!ref) return others;
  if (!chunks || isCarried(chunks)) return { ...others, ref, ...(chunks && { chunks }) };
  const { chunks: __, ...beginning } = ref;
  return { ...others, ref: { ...beginning, gap: true } };
}

/** Whether a page gets a value as it is, rather than as an error, or as text in place of a date. */
function isCarried(value: unknown): boolean {
  try {
    JSON.stringify(value);
    return isJson(value);
  } catch {
    return false;
  }
}

function isJson(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isJson);
  if (typeof value === 'object' && value !== null)
    return isPlain(value) && Object.values(value).every((member) => member === undefined || isJson(member));
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
}

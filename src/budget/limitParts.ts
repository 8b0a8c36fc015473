import type { LimitPart } from '../index.js';

/** The whole of nothing. */
export const NOTHING: LimitPart = { requests: 0, concurrent: 0 };

/** A part made of its two bounds. */
export function partOf(bound: (name: keyof LimitPart) => number): LimitPart {
  return { requests: bound('requests'), concurrent: bound('concurrent') };
}

/** Whether any bound of a part fulfils a condition. */
export function someBound(condition: (name: keyof LimitPart) => boolean): boolean {
  return condition('requests') || condition('concurrent');
}

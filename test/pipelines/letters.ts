import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job } from '../fixtures/snapshots.js';

/** Requests by the letters of a word. */
export function letters(word: string): { input: { letter: string } }[] {
  return [...word].map((letter) => ({ input: { letter } }));
}

/** A completed job of a letter. */
export function completed(letter: string): JobSnapshot<string> {
  return job('COMPLETED', { id: letter, output: letter }) as JobSnapshot<string>;
}

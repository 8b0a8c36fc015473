import { Subject, type Observable } from 'rxjs';
import type { PipelineItem } from '../../src/pipelines/PipelineItem.js';
import type { Runner } from '../../src/pipelines/Runner.js';
import type { JobSnapshot } from '../../src/types/JobSnapshot.js';
import { job } from '../fixtures/snapshots.js';

export interface Letter {
  readonly letter: string;
}

/** A request for each letter of a word. */
export function letters(word: string): { input: Letter }[] {
  return [...word].map((letter) => ({ input: { letter } }));
}

/** The terminal snapshot of a letter's job that completed. */
export function completed(letter: string): JobSnapshot<string> {
  return job('COMPLETED', { id: letter, output: letter }) as JobSnapshot<string>;
}

function failed(letter: string): JobSnapshot<string> {
  return job('FAILED', { id: letter, error: 'broken' }) as JobSnapshot<string>;
}

/** A runner whose jobs end when the test says so; it records which jobs were started and which still run. */
export function controlledJobs() {
  const jobs = new Map<string, Subject<JobSnapshot<string>>>();
  const started: string[] = [];
  const runner: Runner<Letter, string> = ({ input: { letter } }) => {
    started.push(letter);
    const job$ = new Subject<JobSnapshot<string>>();
    jobs.set(letter, job$);
    return job$;
  };
  return {
    runner,
    started,
    finish: (letter: string) => jobs.get(letter)!.next(completed(letter)),
    fail: (letter: string) => jobs.get(letter)!.next(failed(letter)),
    error: (letter: string, error: unknown) => jobs.get(letter)!.error(error),
    running: () => [...jobs].filter(([, job$]) => job$.observed).map(([letter]) => letter),
  };
}

/** Subscribes, and writes what comes as text: a letter for each item, a capital for a failed one, then `|` or `#`. */
export function collect(items$: Observable<PipelineItem<Letter, string>>) {
  const seen: { text: string; items: PipelineItem<Letter, string>[]; error?: unknown } = { text: '', items: [] };
  const subscription = items$.subscribe({
    next: (item) => {
      const { letter } = item.request.input;
      seen.text += item.ok ? letter : letter.toUpperCase();
      seen.items.push(item);
    },
    error: (error: unknown) => {
      seen.text += '#';
      seen.error = error;
    },
    complete: () => (seen.text += '|'),
  });
  return Object.assign(seen, { subscription });
}

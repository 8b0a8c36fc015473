import { EMPTY, concat } from 'rxjs';
import { awaitHook } from '../errors/awaitHook.js';
import type { PipelineItem } from './PipelineItem.js';
import type { PipelineOptions } from './PipelineOptions.js';
import type { Runner } from './Runner.js';

/** Wraps an error, which may be any value, `undefined` included. */
export interface Failure {
  readonly error: unknown;
}

/**
 * Has an item stored by the option `commit`, and then has the runner know. Goes on to its end, whatever happens to the
 * pipeline.
 *
 * @param onStored - called when both have completed, or with the `HookError` of the one that failed
 */
export function storeItem<I extends object, O>(
  item: PipelineItem<I, O>,
  { commit }: PipelineOptions<I, O>,
  { committed }: Runner<I, O>,
  onStored: (failure?: Failure) => void,
): void {
  const { snapshot } = item;
  const context = () => ({ operation: 'run', jobId: snapshot?.id });
  const hook = (name: 'commit' | 'committed') => ({ hook: name, snapshot });
  const stored$ = commit ? awaitHook(hook('commit'), () => commit(item), context) : EMPTY;
  // Without `commit`, nobody has stored it: the runner must give it again.
  const noted$ = commit && committed ? awaitHook(hook('committed'), () => committed(item), context) : EMPTY;
  concat(stored$, noted$).subscribe({
    complete: () => {
      onStored();
    },
    error: (error: unknown) => {
      onStored({ error });
    },
  });
}

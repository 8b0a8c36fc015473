/** A React component that shows a story while it is written, and the hook behind it. */
import { useEffect, useState } from 'react';
import type { Endpoint, JobRequest, JobSnapshot } from 'runpod-rx';

/** What is known of a job at the moment. */
export interface JobView<O, C> {
  readonly chunks: readonly C[];
  readonly snapshot?: JobSnapshot<O>;
  readonly error?: unknown;
}

const NOTHING: JobView<never, never> = { chunks: [] };

/**
 * Runs a job for an input, and another one when the input changes. The job before, and that of a component that goes away, are
 * cancelled on the server: React calls the function that the effect returns, which unsubscribes.
 *
 * @param input - `undefined` runs none; an input counts as changed when its JSON has
 */
export function useJob<I extends object, O, C>(
  endpoint: Endpoint<I, O, C>,
  input: JobRequest<I>['input'] | undefined,
): JobView<O, C> {
  const [view, setView] = useState<JobView<O, C>>(NOTHING);
  const key = JSON.stringify(input);

  useEffect(() => {
    setView(NOTHING);
    if (key === undefined) return undefined;
    const job = endpoint.job({ input: JSON.parse(key) as I }, { stream: true });
    const subscription = job.events$.subscribe({
      next: (event) => {
        if (event.type === 'state') setView((before) => ({ ...before, snapshot: event.snapshot }));
        if (event.type === 'chunk') setView((before) => ({ ...before, chunks: [...before.chunks, event.chunk] }));
      },
      error: (error: unknown) => setView((before) => ({ ...before, error })),
    });
    return () => subscription.unsubscribe();
  }, [endpoint, key]);

  return view;
}

/** A token of the story. */
export interface Token {
  readonly text: string;
}

export interface StoryProps {
  /** Made once, outside of the component: `runpod({ baseUrl: '/api/runpod' }).endpoint('my-stream')`. */
  readonly endpoint: Endpoint<{ prompt: string }, unknown, Token>;
}

export function Story({ endpoint }: StoryProps) {
  const [draft, setDraft] = useState('once upon a time');
  const [prompt, setPrompt] = useState<string>();
  const { chunks, snapshot, error } = useJob(endpoint, prompt === undefined ? undefined : { prompt });

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        setPrompt(draft);
      }}
    >
      <input value={draft} onChange={(event) => setDraft(event.target.value)} />
      <button type="submit">Write</button>
      <button type="button" onClick={() => setPrompt(undefined)}>
        Stop
      </button>
      <p>{chunks.map(({ text }) => text).join(' ')}</p>
      <p role="status">{error === undefined ? snapshot?.status : String(error)}</p>
    </form>
  );
}

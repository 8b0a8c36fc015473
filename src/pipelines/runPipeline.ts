import { Observable } from 'rxjs';
import type { JobRequest } from '../types/JobRequest.js';
import type { JobExecutor } from '../types/ports.js';
import type { BufferLimit } from './InputBuffer.js';
import { Pipeline } from './Pipeline.js';
import type { PipelineItem } from './PipelineItem.js';
import type { PipelineOptions } from './PipelineOptions.js';
import type { Runner } from './Runner.js';
import type { OpenInputSource } from './inputs.js';
import { boundRunner, runnerOf } from './runnerOf.js';

/** The items of a pipeline; each subscription runs a pipeline of its own. */
export function runPipeline<I extends object, O>(
  runner: JobExecutor<I, O> | Runner<I, O>,
  openSource: OpenInputSource<JobRequest<I>>,
  options: PipelineOptions<I, O>,
  bufferLimit?: BufferLimit,
): Observable<PipelineItem<I, O>> {
  const run = runnerOf(runner);
  const bound = boundRunner(run);
  // What an Observable gives has callers of its own.
  const runnerOfInput = bufferLimit ? () => boundRunner(run) : () => bound;
  return new Observable((subscriber) => {
    const pipeline = new Pipeline({ run, runnerOfInput }, options, bufferLimit, subscriber);
    // Before the start, because the subscriber may unsubscribe while the pipeline starts.
    subscriber.add(() => {
      pipeline.close();
    });
    pipeline.start(openSource);
  });
}

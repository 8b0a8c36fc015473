import { resolve } from 'node:path';
import { refused } from '../jobs/refused.js';
import type { Session } from '../jobs/Session.js';
import type { Work } from '../jobs/Work.js';
import { dryRun } from './dryRun.js';
import { PipelineInputs } from './PipelineInputs.js';
import { filesOf, type PipelineCommandOptions } from './PipelineOptions.js';
import { PipelineRun } from './PipelineRun.js';

/**
 * `runpod-rx pipeline`: runs a job for each line of a file. Run again, it goes on where it was. Ctrl-C cancels the jobs at work,
 * and SIGTERM has them go on; both are taken up by the next run.
 */
export function runPipeline(session: Session, endpointId: string, path: string, options: PipelineCommandOptions): Work {
  assertApart(path, options);
  const inputs = new PipelineInputs(path, endpointId, options, session.stdin, (doubt) => {
    session.say(doubt);
  });
  if (options.dryRun) return { exitCode$: dryRun(session, inputs, options) };
  const run = new PipelineRun(session, endpointId, inputs, options);
  return {
    exitCode$: run.exitCode$,
    leaving: () => 'cancelling the jobs at work',
    outlivesOutput: true,
    detach: () => run.detach(),
    afterLeaving: () => run.settled(),
  };
}

/** No file may be two of them: the inputs would be written to. */
function assertApart(inputs: string, options: PipelineCommandOptions): void {
  const { output, failures, journal } = filesOf(options);
  const paths = [inputs, output, failures, journal].map((path) => resolve(path));
  if (new Set(paths).size < paths.length)
    throw refused('inputs, results, failures and journal must be different files');
}

import { isRunpodError, type PipelineItem } from '../../index.js';
import { EXIT } from '../jobs/exitCodes.js';
import type { Session } from '../jobs/Session.js';
import { line, paint } from '../Text.js';
import type { PipelineCommandOptions, PipelineFiles } from './PipelineOptions.js';

/** Counts the items of a pipeline, and says in the end what came of them. */
export class PipelineSummary {
  /** Whether the pipeline has come to its end. */
  isShown = false;
  #done = 0;
  #failed = 0;
  #ambiguous = 0;
  #billedMs = 0;

  /** Seconds that are billed for all jobs, also those of earlier runs. */
  get billedSeconds(): number {
    return this.#billedMs / 1_000;
  }

  count(item: PipelineItem): void {
    if (item.ok) this.#done += 1;
    else this.#failed += 1;
    if (!item.ok && isRunpodError(item.error, 'submission_unknown')) this.#ambiguous += 1;
    this.#billedMs += item.snapshot?.executionTime ?? 0;
  }

  /** Says what came of the inputs; returns the exit code. */
  show(session: Session, files: PipelineFiles, { price }: PipelineCommandOptions): number {
    this.isShown = true;
    session.status([]);
    const billedSeconds = Math.round(this.billedSeconds * 1_000) / 1_000;
    const estimatedCost = price === undefined ? undefined : Math.round(billedSeconds * price * 1e6) / 1e6;
    if (session.json)
      session.print({
        inputs: this.#done + this.#failed,
        results: this.#done,
        failures: this.#failed,
        ambiguous: this.#ambiguous,
        billedSeconds,
        estimatedCost,
      });
    session.say(line`${paint('green', `${this.#done} results`)} in ${files.output}`);
    if (this.#failed > 0) session.say(line`${paint('red', `${this.#failed} failures`)} in ${files.failures}`);
    if (this.#ambiguous > 0)
      session.say(
        `${this.#ambiguous} of them were sent without an answer, and may run: --ambiguous resubmit sends them again`,
      );
    const cost = estimatedCost === undefined ? '' : `, an estimated ${estimatedCost.toFixed(2)}`;
    session.say(paint('dim', `${Math.round(billedSeconds)} s of execution${cost}`));
    return this.#failed > 0 ? EXIT.failed : EXIT.done;
  }
}

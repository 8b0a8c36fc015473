import {
  EMPTY,
  BehaviorSubject,
  auditTime,
  concat,
  defer,
  filter,
  from,
  ignoreElements,
  last,
  merge,
  of,
  switchMap,
  takeUntil,
  tap,
  type Observable,
} from 'rxjs';
import { isRunpodError, runAll, type PipelineItem, type PipelineTotals } from '../../index.js';
import { durable, fileStore, type DurableRunner, type JobStore } from '../../durable/index.js';
import { durationScheduler } from '../../time/clocks.js';
import type { Session } from '../jobs/Session.js';
import type { GoesOn } from '../jobs/Work.js';
import { refused } from '../jobs/refused.js';
import { hasFailed } from './hasFailed.js';
import { pipelineBar } from './pipelineBar.js';
import type { PipelineInputs } from './PipelineInputs.js';
import { filesOf, type PipelineCommandOptions, type PipelineFiles } from './PipelineOptions.js';
import { recordOf } from './PipelineRecord.js';
import { PipelineSummary } from './PipelineSummary.js';
import { ResultsFile } from './ResultsFile.js';

/** How often the bar is drawn, in milliseconds. */
const REDRAW = 250;

/** The longest pause before an input that the service could not take is submitted again, in milliseconds. */
const MAX_PAUSE = 30_000;

const GO_ON = 'run the same command again to go on';

/** A pipeline over a file of inputs, which goes on where an earlier run has ended. */
export class PipelineRun {
  readonly #session: Session;
  readonly #inputs: PipelineInputs;
  readonly #options: PipelineCommandOptions;
  readonly #files: PipelineFiles;
  readonly #store: JobStore;
  readonly #jobs: DurableRunner;
  readonly #summary = new PipelineSummary();
  #results: ResultsFile | undefined;
  #failures: ResultsFile | undefined;
  #hasLeft = false;

  constructor(session: Session, endpointId: string, inputs: PipelineInputs, options: PipelineCommandOptions) {
    const { timeout, ambiguous, retryFailed } = options;
    this.#session = session;
    this.#inputs = inputs;
    this.#options = options;
    this.#files = filesOf(options);
    this.#store = fileStore(this.#files.journal);
    this.#jobs = durable(session.client.endpoint(endpointId), {
      store: this.#store,
      key: (request) => inputs.placeOf(request).key,
      ambiguous,
      ...(retryFailed && { runAgain: hasFailed }),
      ...(timeout !== undefined && { job: { timeout } }),
    });
  }

  /** Runs all inputs; emits the exit code. */
  readonly exitCode$: Observable<number> = defer(() => from(this.#prepare())).pipe(
    switchMap((total) =>
      concat(
        this.#run(total),
        defer(() => of(this.#finish())),
      ),
    ),
  );

  /** Has the jobs at work go on. */
  detach(): Observable<GoesOn> {
    this.#jobs.detachOnLeave();
    return of({ message: `the jobs at work go on; ${GO_ON}` });
  }

  /** Completes once what was left is recorded, and the files are closed. */
  settled(): Observable<never> {
    return concat(
      this.#jobs.settled(),
      defer(() => this.#close()),
    ).pipe(ignoreElements());
  }

  /** Reads all inputs, and opens the files. Errors where the inputs are wrong, or another process has the journal. */
  async #prepare(): Promise<number | undefined> {
    const total = this.#inputs.isFile ? await this.#inputs.count() : undefined;
    await this.#openJournal();
    // Nobody waits any more: the files stay as they are.
    if (this.#hasLeft) return undefined;
    this.#results = new ResultsFile(this.#files.output, 'output');
    this.#failures = new ResultsFile(this.#files.failures, 'error');
    // The journal gives the failures of earlier runs again.
    this.#failures.clear();
    return total;
  }

  /** Whoever owns the journal owns the other files. */
  async #openJournal(): Promise<void> {
    try {
      await this.#store.get('');
    } catch (error) {
      const { code, path = this.#files.journal } = error as NodeJS.ErrnoException;
      throw code?.startsWith('E') ? refused(`the journal ${path} cannot be opened: ${code}`) : error;
    }
  }

  #run(total: number | undefined): Observable<never> {
    const { concurrency, price } = this.#options;
    const totals$ = new BehaviorSubject<PipelineTotals | undefined>(undefined);
    const items$ = runAll(this.#jobs, this.#inputs.requests(), {
      concurrency,
      totals: totals$,
      commit: (item) => this.#commit(item),
      // A refusal costs nothing: the network may be back in an hour.
      retry: { count: Infinity, delay: (_error, attempt) => Math.min(MAX_PAUSE, 500 * 2 ** attempt) },
    }).pipe(
      tap({
        next: (item) => {
          this.#stopWhereHopeless(item);
        },
        complete: () => {
          totals$.complete();
        },
      }),
    );
    const drawn$ = totals$.pipe(
      auditTime(REDRAW, durationScheduler()),
      filter((totals) => totals !== undefined),
      tap((totals) => {
        const facts = { total, billedSeconds: this.#summary.billedSeconds, pricePerSecond: price };
        this.#session.status([pipelineBar(totals, facts), ...(this.#session.trouble ? [this.#session.trouble] : [])]);
      }),
    );
    return merge(items$, drawn$.pipe(takeUntil(totals$.pipe(last())))).pipe(ignoreElements());
  }

  #commit(item: PipelineItem): Observable<never> {
    const record = recordOf(item, this.#inputs.placeOf(item.request), { withInput: !!this.#options.withInput });
    this.#summary.count(item);
    (item.ok ? this.#results : this.#failures)?.append(record);
    return EMPTY;
  }

  /** Where no input can succeed, none is sent any more, and the jobs at work go on. */
  #stopWhereHopeless(item: PipelineItem): void {
    if (item.ok || !isRunpodError(item.error)) return;
    if (!['authentication', 'not_found', 'configuration', 'hook'].includes(item.error.code)) return;
    this.#jobs.detachOnLeave();
    throw item.error;
  }

  #finish(): number {
    return this.#summary.show(this.#session, this.#files, this.#options);
  }

  async #close(): Promise<void> {
    this.#hasLeft = true;
    this.#results?.close();
    this.#failures?.close();
    if (!this.#summary.isShown && this.#results) this.#session.say(GO_ON);
    await this.#store.close();
  }
}

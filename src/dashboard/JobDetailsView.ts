import type { JobDetails } from '../emulator/server/dashboard/FeedEvent.js';
import { ChunkList } from './ChunkList.js';
import { element, setText } from './dom.js';
import { errorBlock } from './errorBlock.js';
import type { PageEvent } from './feed.js';
import { jsonBlock } from './jsonBlock.js';
import { overview } from './overview.js';
import { Tabs } from './Tabs.js';
import { timeline } from './timeline.js';

const GONE = 'The emulator has no job of this id. It remembers its latest jobs, and forgets all when it ends.';
const FORGOTTEN = 'The emulator has dropped what this job held: it can no longer be read.';

/** What the panel beside the page shows of one job. */
export class JobDetailsView {
  readonly tabs = new Tabs(['Overview', 'Input', 'Output', 'Chunks', 'History'], 'About the job');
  readonly cancel = element('button', { type: 'button', class: 'danger' }, 'Cancel job');
  readonly retry = element('button', { type: 'button' }, 'Retry');
  readonly again = element('button', { type: 'button' }, 'Edit and send again');
  readonly #problem = element('p', { class: 'problem', role: 'alert' });
  readonly #missing = element('p', { class: 'empty' }, GONE);
  readonly #chunks = new ChunkList();
  readonly #actions = element('div', { class: 'actions' }, this.cancel, this.retry, this.again);
  #job: JobDetails | undefined;
  #now = 0;

  get job(): JobDetails | undefined {
    return this.#job;
  }

  /** Fills the panel. */
  mount(body: HTMLElement): void {
    body.replaceChildren(this.#missing, this.#actions, this.#problem, this.tabs.list, this.tabs.panel);
    this.clear();
  }

  /** Forgets the job that was shown. */
  clear(): void {
    this.#job = undefined;
    this.#chunks.clear();
    this.say('');
    this.#showFrame(true);
    this.tabs.panel.replaceChildren();
  }

  update({ now, isFirst, details, chunks }: PageEvent): void {
    this.#now = now;
    if (isFirst) this.#chunks.clear();
    if (details !== undefined) this.#job = details ?? undefined;
    if (chunks) this.#chunks.add(chunks);
    if (details !== undefined) this.#showFrame(details !== null);
    if (details || chunks || (this.tabs.chosen === 'Overview' && this.#job && !this.#job.end)) this.render();
  }

  /** Shows what went wrong with an action. */
  say(problem: string): void {
    setText(this.#problem, problem);
  }

  /** Fills the chosen tab. */
  render(): void {
    const { panel, chosen } = this.tabs;
    const isAtEnd = panel.scrollTop + panel.clientHeight >= panel.scrollHeight - 8;
    if (this.#job) panel.replaceChildren(element('div', { class: 'stack' }, ...this.#contentOf(this.#job)));
    // Who reads the end of a stream keeps seeing it.
    if (chosen === 'Chunks' && isAtEnd) panel.scrollTop = panel.scrollHeight;
  }

  #showFrame(isThere: boolean): void {
    this.#missing.hidden = isThere;
    for (const part of [this.#actions, this.tabs.list, this.tabs.panel]) part.hidden = !isThere;
    const { end, status = '', input } = this.#job ?? {};
    this.cancel.hidden = !this.#job || end !== undefined;
    this.retry.hidden = status !== 'FAILED' && status !== 'TIMED_OUT';
    this.again.hidden = !input || input.length > input.text.length;
  }

  #contentOf(job: JobDetails): readonly HTMLElement[] {
    const remark = (words: string): readonly HTMLElement[] => [
      element('p', { class: 'empty' }, job.forgotten ? FORGOTTEN : words),
    ];
    switch (this.tabs.chosen) {
      case 'Overview':
        return overview(job, this.#now);
      case 'Input':
        return job.input ? jsonBlock(job.input) : remark('The job has no input.');
      case 'Output': {
        const parts = [...(job.error ? errorBlock(job.error) : []), ...(job.output ? jsonBlock(job.output) : [])];
        return parts.length > 0 ? parts : remark(job.end ? 'The job has no output.' : 'The job is not over yet.');
      }
      case 'Chunks':
        return this.#chunks.isEmpty
          ? remark('No chunk yet. A handler that yields values makes them.')
          : [this.#chunks.element];
      case 'History':
        return [timeline(job)];
    }
  }
}

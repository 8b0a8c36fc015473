import type { JobEvent } from 'runpod-rx';
import { byId, element, setText } from './dom.js';
import { counted } from './format.js';
import { linkTo } from './selection.js';
import { statusTag } from './statusTag.js';

/** How many characters of a stream are shown below the form. */
const MAX_TEXT = 4_000;

/** What is shown below the form: the job that was sent last, as the client tells of it. */
export class SentJob {
  readonly cancel = element('button', { type: 'button', class: 'quiet danger' }, 'Cancel');
  readonly #head = element('p', { class: 'actions' }, 'Sending …');
  readonly #remark = element('p', { class: 'faint' });
  readonly #text = element('pre', { class: 'text', tabindex: '0', 'aria-label': 'Chunks', hidden: true });
  #id = '';
  #chunks = 0;

  constructor() {
    byId('sent').replaceChildren(this.#head, this.#remark, this.#text);
  }

  show(event: JobEvent): void {
    switch (event.type) {
      case 'submitted':
        this.#id = event.id;
        break;
      case 'state':
        this.#showState(event.snapshot.status, true);
        break;
      case 'chunk':
        this.#chunks += 1;
        this.#append(typeof event.chunk === 'string' ? event.chunk : `${JSON.stringify(event.chunk)}\n`);
        setText(this.#remark, `${counted(this.#chunks, 'chunk')} streamed`);
        break;
      case 'ended':
        this.#showState(event.snapshot.status, false);
        if (event.snapshot.status === 'FAILED') this.#showProblem(event.snapshot.error.message);
        break;
      default:
    }
  }

  fail(error: unknown): void {
    this.#showProblem(error instanceof Error ? error.message : String(error));
    if (this.#id === '') setText(this.#head, 'Not sent.');
    this.cancel.remove();
  }

  #showProblem(text: string): void {
    this.#remark.className = 'problem';
    setText(this.#remark, text);
  }

  #showState(status: string, isRunning: boolean): void {
    const link = element('a', { href: linkTo(this.#id) }, 'Show the job');
    this.#head.replaceChildren(statusTag(status), link, ...(isRunning ? [this.cancel] : []));
  }

  #append(text: string): void {
    this.#text.hidden = false;
    setText(this.#text, (this.#text.textContent + text).slice(-MAX_TEXT));
    this.#text.scrollTop = this.#text.scrollHeight;
  }
}

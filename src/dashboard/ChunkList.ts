import type { FeedEvent } from '../emulator/server/dashboard/FeedEvent.js';
import { element } from './dom.js';
import { count } from './format.js';

/** How many chunks the page shows: the latest. */
const MAX_CHUNKS = 500;

/** The chunks of the selected job, as they come. */
export class ChunkList {
  readonly element = element('ol', { class: 'chunks' });
  /** How many chunks the job has. */
  #count = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  clear(): void {
    this.#count = 0;
    this.element.replaceChildren();
  }

  add({ from, items }: NonNullable<FeedEvent['chunks']>): void {
    if (from !== this.#count) this.element.replaceChildren();
    this.#count = from + items.length;
    const lines = items.map(({ text, length }, at) => {
      const more = length > text.length ? ` … ${count(length)} characters` : '';
      return element('li', {}, element('span', {}, String(from + at + 1)), element('span', {}, text + more));
    });
    this.element.append(...lines);
    while (this.element.childElementCount > MAX_CHUNKS) this.element.firstElementChild?.remove();
  }
}

import type { JsonText } from '../emulator/server/dashboard/FeedEvent.js';
import { element } from './dom.js';
import { count } from './format.js';
import { tidyJson } from './tidyJson.js';

/** A JSON text as the page shows it, and what of it is left out. */
export function jsonBlock({ text, length }: JsonText): readonly HTMLElement[] {
  const block = element('pre', { class: 'text' }, tidyJson(text));
  if (length <= text.length) return [block];
  return [
    block,
    element('p', { class: 'faint' }, `The first ${count(text.length)} of ${count(length)} characters are shown.`),
  ];
}

/**
 * Texts for people that are made of what came over the wire: messages, excerpts, tracebacks. They are shortened, and hold
 * no character that moves a terminal's cursor, begins a line of a log, or turns the direction of what stands beside it.
 */

/** Controls of C0 and C1, controls of direction, separators of lines, and byte order marks: each becomes a space. */
const CONTROLS = '\\p{Cc}\\p{Zl}\\p{Zp}\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb';
const SPACES = new RegExp(`[\\s${CONTROLS}]+`, 'gu');
const CONTROLS_IN_LINES = new RegExp(`(?![\\n\\t])[${CONTROLS}]`, 'gu');
/** Halves of surrogate pairs: such a text cannot be written as UTF-8. */
const LONE_SURROGATES = /\p{Cs}/gu;

/** How much of a text is looked at for each character that is shown, since runs of spaces become one space. */
const MAX_SHRINKING = 4;

/** The beginning of a text in one line, for a message. */
export function clip(text: string, length = 300): string {
  const whole = text.trim();
  const beginning = cut(whole, length * MAX_SHRINKING);
  const line = wellFormed(beginning.replace(SPACES, ' ').trim());
  const shown = cut(line, length);
  return shown.length < line.length || beginning.length < whole.length ? `${shown}…` : shown;
}

/** The beginning of a text of several lines, such as a traceback. Line feeds and tabs stay. */
export function clipLines(text: string, length: number): string {
  const shown = cut(text, length);
  const lines = wellFormed(shown.replace(/\r\n?/g, '\n').replace(CONTROLS_IN_LINES, ' '));
  return shown.length < text.length ? `${lines}…` : lines;
}

function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATES, '\ufffd');
}

/** The first characters of a text, without the first half of a surrogate pair at its end. */
function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  const isHighSurrogate = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, isHighSurrogate ? length - 1 : length);
}

import { jsonItems, jsonMembers, withoutSpace } from './jsonParts.js';

/**
 * A JSON text that JavaScript cannot hold as a value without changing it, such as `9007199254740993` or `1.0`. The service
 * passes JSON texts between clients and workers on as they are, and so does the emulator: it keeps both.
 */
export class RelayedJson {
  constructor(
    /** The text as it came, without white space around its tokens. */
    readonly text: string,
    /** The same as JavaScript reads it: for handlers, conditions and the ledger. */
    readonly value: unknown,
  ) {}

  /** Where a text is not relayed but shown, `JSON.stringify` shows the value. */
  toJSON(): unknown {
    return this.value;
  }
}

/** A number that JavaScript may write in another way: many digits, a zero at the end of a fraction, an exponent, `-0`. */
const CHANGEABLE = /\d{16}|\.\d{0,15}0(?!\d)|\.0{6}|\d[eE]|-0(?![.\d])/;

/**
 * Reads JSON whose members are relayed. If it is an object, a member that JavaScript cannot hold without changing it is a
 * {@link RelayedJson}. Throws as `JSON.parse`.
 */
export function readMembers(text: string): unknown {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !CHANGEABLE.test(text)) return value;
  return Object.fromEntries([...jsonMembers(text)].map(([name, member]) => [name, relayed(member)]));
}

/** Reads JSON; if it is a list, each of its items by {@link readMembers}. Throws as `JSON.parse`. */
export function readItems(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return Array.isArray(value) && CHANGEABLE.test(text) ? jsonItems(text).map(readMembers) : value;
}

/** The value of a JSON text; a {@link RelayedJson} if the value does not hold all of the text. Throws as `JSON.parse`. */
export function relayed(text: string): unknown {
  const value: unknown = JSON.parse(text);
  const isChangeable = (typeof value === 'object' && value !== null) || typeof value === 'number';
  if (!isChangeable || !CHANGEABLE.test(text)) return value;
  const compact = withoutSpace(text);
  return JSON.stringify(value) === compact ? value : new RelayedJson(compact, value);
}

/** A value as JavaScript holds it, for everybody but clients and workers. */
export function valueOf(value: unknown): unknown {
  return value instanceof RelayedJson ? value.value : value;
}

/** How deep the texts to relay lie in an answer: a list of objects that have one as a member, in the answer's object. */
const ENVELOPE_DEPTH = 4;

/** Writes an answer as JSON, with the texts that it relays. */
export function writeJson(value: unknown, depth = ENVELOPE_DEPTH): string {
  if (value instanceof RelayedJson) return value.text;
  if (depth === 0 || typeof value !== 'object' || value === null || 'toJSON' in value) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => writeJson(item ?? null, depth - 1)).join(',')}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${writeJson(member, depth - 1)}`).join(',')}}`;
}

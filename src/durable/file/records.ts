import type { JobRow, RowState } from '../JobRow.js';
import { rowOfJson, rowToJson } from '../rowJson.js';

/**
 * A record is a line of a journal: a letter, the key as JSON, a tab, and the row without them as JSON. The last record of a
 * key counts. `c` marks the row before it as committed, `x` forgets the key; both have nothing after the key.
 */
const LETTERS = { wanted: 'w', sending: 's', submitted: 'u', ended: 'e' } as const satisfies Record<RowState, string>;

/** The letter of an ended row that is committed: as it stands in a compacted journal. */
const COMMITTED_END = 'E';

/** What a record does. */
export type RecordKind = RowState | 'committed' | 'deleted';

/** What is known of a record without reading all of it. */
export interface RecordHead {
  readonly kind: RecordKind;
  readonly key: string;
  /** Whether the record itself says that its result is committed. */
  readonly committed: boolean;
}

const STATES: Readonly<Record<string, RowState>> = {
  w: 'wanted',
  s: 'sending',
  u: 'submitted',
  e: 'ended',
  [COMMITTED_END]: 'ended',
};

const TAB = 9;
const BACKSLASH = 92;

export function recordOf({ key, state, committed, ...rest }: JobRow): Buffer {
  const letter = committed ? COMMITTED_END : LETTERS[state];
  return Buffer.from(`${letter}${JSON.stringify(key)}\t${rowToJson(rest)}\n`);
}

export function markOf(kind: 'committed' | 'deleted', key: string): Buffer {
  return Buffer.from(`${kind === 'committed' ? 'c' : 'x'}${JSON.stringify(key)}\t\n`);
}

/** The head of the record at a place; `undefined` where there is none. */
export function headAt(bytes: Buffer, at: number): (RecordHead & { readonly end: number }) | undefined {
  const tab = bytes.indexOf(TAB, at);
  const end = bytes.indexOf(10, tab) + 1;
  if (tab < 0 || end <= 0) return undefined;
  const letter = String.fromCharCode(bytes[at] ?? 0);
  const kind = kindOf(letter);
  return kind && { kind, key: keyAt(bytes, at + 1, tab), committed: letter === COMMITTED_END, end };
}

/** The row of a whole record. */
export function rowOf(record: Buffer, committed: boolean): JobRow {
  const head = headAt(record, 0);
  if (!head || head.kind === 'committed' || head.kind === 'deleted') throw new Error('the journal has no row there');
  const rest = rowOfJson(record.toString('utf8', record.indexOf(TAB) + 1));
  // The rest is what `recordOf` has left.
  const row = { key: head.key, state: head.kind, ...rest } as JobRow;
  return committed ? { ...row, committed } : row;
}

function kindOf(letter: string): RecordKind | undefined {
  if (letter === 'c') return 'committed';
  return letter === 'x' ? 'deleted' : STATES[letter];
}

/** A key, without the parser of JSON where there is nothing to parse: a journal may have millions. */
function keyAt(bytes: Buffer, start: number, end: number): string {
  const plain = !bytes.subarray(start, end).includes(BACKSLASH);
  return plain
    ? bytes.toString('utf8', start + 1, end - 1)
    : (JSON.parse(bytes.toString('utf8', start, end)) as string);
}

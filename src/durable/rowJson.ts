import type { JobRow } from './JobRow.js';

const BIG = '$bigint';

/** An object of an output may have this member alone: it is written with one `$` more, so that it is read as it was. */
const BIG_LIKE = /^\$+bigint$/;

/** A row as JSON. An endpoint's own parser may have made integers beyond 2^53 of an output. */
export function rowToJson(row: Partial<JobRow>): string {
  return JSON.stringify(row, (_name, value: unknown) => {
    if (typeof value === 'bigint') return { [BIG]: String(value) };
    const [name, member] = onlyMember(value);
    return BIG_LIKE.test(name) ? { [`$${name}`]: member } : value;
  });
}

/** The row of a JSON text that `rowToJson` has made. */
export function rowOfJson(text: string): Partial<JobRow> {
  const hasBig = text.includes(`${BIG}"`);
  return (hasBig ? JSON.parse(text, (_name, value: unknown) => bigOf(value)) : JSON.parse(text)) as Partial<JobRow>;
}

function bigOf(value: unknown): unknown {
  const [name, member] = onlyMember(value);
  if (name === BIG && typeof member === 'string' && /^-?\d+$/.test(member)) return BigInt(member);
  return name !== BIG && BIG_LIKE.test(name) ? { [name.slice(1)]: member } : value;
}

/** The name and the value of the only member of an object; an empty name for anything else. */
function onlyMember(value: unknown): readonly [name: string, member?: unknown] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [''];
  const [name = '', ...others] = Object.keys(value);
  return others.length > 0 ? [''] : [name, (value as Readonly<Record<string, unknown>>)[name]];
}

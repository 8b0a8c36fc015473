import type { JobRow } from './JobRow.js';

const BIG = '$bigint';

/** A row as JSON. An endpoint's own parser may have made integers beyond 2^53 of an output. */
export function rowToJson(row: Partial<JobRow>): string {
  return JSON.stringify(row, (_name, value: unknown) => (typeof value === 'bigint' ? { [BIG]: String(value) } : value));
}

/** The row of a JSON text that `rowToJson` has made. */
export function rowOfJson(text: string): Partial<JobRow> {
  const hasBig = text.includes(`"${BIG}"`);
  return (hasBig ? JSON.parse(text, (_name, value: unknown) => bigOf(value)) : JSON.parse(text)) as Partial<JobRow>;
}

function bigOf(value: unknown): unknown {
  const { [BIG]: digits, ...others } = Object(value) as Readonly<Record<string, unknown>>;
  const isBig = typeof digits === 'string' && /^-?\d+$/.test(digits) && Object.keys(others).length === 0;
  return isBig ? BigInt(digits) : value;
}

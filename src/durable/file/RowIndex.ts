import type { RowState } from '../JobRow.js';
import type { RecordKind } from './records.js';

/** Where the record of a row is, and what can be said of the row without reading it. */
export interface IndexedRow {
  readonly position: number;
  readonly length: number;
  readonly state: RowState;
  readonly committed: boolean;
}

const STATES: readonly RowState[] = ['wanted', 'sending', 'submitted', 'ended'];

const ENDED = STATES.indexOf('ended');

/** The bit of `#flags` that says that a result is committed; the bits below it are the state. */
const COMMITTED = 4;

/**
 * Where the rows of a journal are. A million rows must not fill the memory: of each, it holds the key, and thirteen bytes in
 * columns.
 */
export class RowIndex {
  /** How many bytes of the journal are needed: the records that count. */
  liveBytes = 0;
  readonly #numbers = new Map<string, number>();
  #positions = new Float64Array(64);
  #lengths = new Uint32Array(64);
  #flags = new Uint8Array(64);
  #used = 0;

  get size(): number {
    return this.#numbers.size;
  }

  keys(): IterableIterator<string> {
    return this.#numbers.keys();
  }

  get(key: string): IndexedRow | undefined {
    const number = this.#numbers.get(key);
    if (number === undefined) return undefined;
    const flags = this.#flags[number] ?? 0;
    return {
      position: this.#positions[number] ?? 0,
      length: this.#lengths[number] ?? 0,
      state: STATES[flags & (COMMITTED - 1)] ?? 'wanted',
      committed: flags >= COMMITTED,
    };
  }

  /** Takes a record of the journal. */
  apply(kind: RecordKind, key: string, at: Omit<IndexedRow, 'state'>): void {
    let number = this.#numbers.get(key);
    if (kind === 'committed') {
      // The mark may have been written after the next job of the key.
      if (number !== undefined && this.get(key)?.state === 'ended') this.#flags[number] = ENDED | COMMITTED;
      return;
    }
    if (number !== undefined) this.liveBytes -= this.#lengths[number] ?? 0;
    if (kind === 'deleted') {
      this.#numbers.delete(key);
      return;
    }
    if (number === undefined) {
      number = this.#used++;
      if (number >= this.#flags.length) this.#grow();
      this.#numbers.set(key, number);
    }
    this.#positions[number] = at.position;
    this.#lengths[number] = at.length;
    this.#flags[number] = STATES.indexOf(kind) | (at.committed ? COMMITTED : 0);
    this.liveBytes += at.length;
  }

  #grow(): void {
    const size = Math.ceil(this.#flags.length * 1.5);
    const [positions, lengths, flags] = [this.#positions, this.#lengths, this.#flags];
    this.#positions = new Float64Array(size);
    this.#positions.set(positions);
    this.#lengths = new Uint32Array(size);
    this.#lengths.set(lengths);
    this.#flags = new Uint8Array(size);
    this.#flags.set(flags);
  }
}

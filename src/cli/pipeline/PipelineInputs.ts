import { createReadStream, statSync } from 'node:fs';
import type { JobRequest } from '../../index.js';
import { MAX_KEY, isKey } from '../../durable/durableKey.js';
import { fingerprint } from '../../durable/fingerprint.js';
import { objectOf, type OnDoubt } from '../jobs/readInput.js';
import { refused } from '../jobs/refused.js';
import { readLines, type InputLine } from './readLines.js';

/** Where an input comes from. */
export interface InputPlace {
  /** The line, from 1. */
  readonly line: number;
  /** What names the input in the journal and in the results. */
  readonly key: string;
}

/** How inputs are named. */
export interface KeyOptions {
  /** The member of the input that names it; otherwise its content does. */
  readonly key?: string;
}

/**
 * The inputs of a pipeline: a file, or the standard input, with an object of JSON on each line.
 *
 * An input is named by its content and by how many equal lines come before it. So two equal lines are two jobs, and a line
 * that is added or removed moves no other.
 */
export class PipelineInputs {
  readonly #path: string;
  readonly #endpointId: string;
  readonly #options: KeyOptions;
  readonly #stdin: AsyncIterable<Uint8Array>;
  readonly #onDoubt: OnDoubt;
  readonly #places = new WeakMap<object, InputPlace>();
  #hasDoubt = false;

  /**
   * @param path - a file, or `-` for the standard input
   * @param onDoubt - told of the first input that may not be meant as it is
   */
  constructor(
    path: string,
    endpointId: string,
    options: KeyOptions,
    stdin: AsyncIterable<Uint8Array>,
    onDoubt: OnDoubt,
  ) {
    this.#path = path;
    this.#endpointId = endpointId;
    this.#options = options;
    this.#stdin = stdin;
    this.#onDoubt = (doubt) => {
      if (!this.#hasDoubt) onDoubt(doubt);
      this.#hasDoubt = true;
    };
  }

  /** Whether the inputs can be read more than once: a pipe, such as `<(…)` of a shell, gives them once. Throws where there is nothing. */
  get isFile(): boolean {
    if (this.#isStdin) return false;
    try {
      return statSync(this.#path).isFile();
    } catch (error) {
      throw this.#readError(error);
    }
  }

  /** What the inputs are called in messages. */
  get name(): string {
    return this.#isStdin ? 'the standard input' : this.#path;
  }

  /** The place of a request that `requests` gave. */
  placeOf(request: object): InputPlace {
    return this.#places.get(request) ?? { line: 0, key: '' };
  }

  /** Requests of jobs, one for each line. Errors at the first line that is no input. */
  async *requests(): AsyncGenerator<JobRequest> {
    const seen = new Map<string, number>();
    try {
      for await (const line of readLines(this.#isStdin ? this.#stdin : createReadStream(this.#path))) {
        const input = objectOf(line.text, `line ${line.number} of ${this.name}`, this.#onDoubt);
        const request: JobRequest = { input };
        this.#places.set(request, { line: line.number, key: this.#keyOf(input, line, seen) });
        yield request;
      }
    } catch (error) {
      throw this.#readError(error);
    }
  }

  /** Reads all lines, so that a wrong one is found before anything is sent; gives how many inputs there are. */
  async count(): Promise<number> {
    let count = 0;
    const requests = this.requests();
    while (!(await requests.next()).done) count += 1;
    return count;
  }

  get #isStdin(): boolean {
    return this.#path === '-';
  }

  #keyOf(input: Record<string, unknown>, { number }: InputLine, seen: Map<string, number>): string {
    const { key: member } = this.#options;
    const where = `line ${number} of ${this.name}`;
    if (member === undefined) {
      const print = fingerprint(this.#endpointId, input);
      const before = seen.get(print) ?? 0;
      seen.set(print, before + 1);
      return `${print}-${before}`;
    }
    const key = input[member];
    if (typeof key !== 'string' && typeof key !== 'number')
      throw refused(`${where} has no text and no number as ${member}`);
    if (!isKey(String(key)))
      throw refused(`${where}: ${member} must have 1 to ${MAX_KEY} characters, without half surrogate pairs`);
    const before = seen.get(String(key));
    if (before !== undefined) throw refused(`${where} has the same ${member} as line ${before}`);
    seen.set(String(key), number);
    return String(key);
  }

  #readError(error: unknown): unknown {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR')
      return refused(`${this.name} cannot be read: ${code}`);
    return error instanceof TypeError ? refused(`${this.name}: ${message}`) : error;
  }
}

import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { defer, from, map, of, type Observable } from 'rxjs';
import { changeOf, changedNumber } from './changedNumber.js';
import { refused } from './refused.js';

/** Where a command takes the input of a job from. */
export interface InputOptions {
  /** A file with the input as JSON; `-` is the standard input. */
  readonly input?: string;
}

/** Told, in words, of what is sent and may not be meant. */
export type OnDoubt = (doubt: string) => void;

/** The input of a job: JSON on the command line, in a file, or on the standard input. Errors where it is none. */
export function readInput(
  given: string | undefined,
  { input: file }: InputOptions,
  stdin: NodeJS.ReadStream,
  onDoubt: OnDoubt,
): Observable<Record<string, unknown>> {
  if (given !== undefined && file !== undefined) throw refused('give the input once: as JSON, or by --input');
  if (given !== undefined) return of(objectOf(given, 'the input', onDoubt));
  if (file === undefined) throw refused('give the input as JSON, such as \'{"prompt":"a lighthouse"}\', or by --input');
  if (file !== '-') return of(objectOf(readText(file), file, onDoubt));
  return defer(() => from(text(stdin))).pipe(map((json) => objectOf(json, 'the standard input', onDoubt)));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw refused(`${file} cannot be read: ${String((error as NodeJS.ErrnoException).code)}`);
  }
}

/** An object in JSON. A file may begin with a byte order mark. */
export function objectOf(json: string, name: string, onDoubt: OnDoubt): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw refused(`${name} is no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refused(`${name} must be an object of JSON`);
  const changed = changedNumber(json);
  if (changed !== undefined) onDoubt(changeOf(changed, name));
  const input = value as Record<string, unknown>;
  if (isRequest(input)) onDoubt(`${name} has nothing but "input": the endpoint gets it with that around it`);
  return input;
}

/** Whether an input looks like the body of a request, as it is sent by `curl`. */
function isRequest(input: Record<string, unknown>): boolean {
  return typeof input.input === 'object' && input.input !== null && Object.keys(input).length === 1;
}

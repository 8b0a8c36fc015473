import { ConfigurationError } from '../errors/ConfigurationError.js';
import type { BufferLimit } from './InputBuffer.js';
import type { PipelineOptions } from './PipelineOptions.js';

/** Throws where an option of a pipeline is out of range. Numbers from an Observable are not checked. */
export function checkPipelineOptions<I extends object, O>(
  operation: string,
  { concurrency, retry }: PipelineOptions<I, O>,
  bufferLimit?: BufferLimit,
): void {
  const check = (name: string, value: unknown, minimum: number) => {
    checkCount({ operation, name, value, minimum });
  };
  if (typeof concurrency === 'number') check('concurrency', concurrency, 1);
  if (retry !== undefined) check('retry', typeof retry === 'object' ? retry.count : retry, 0);
  if (bufferLimit) check('buffer', bufferLimit.buffer, 0);
}

interface Count {
  readonly operation: string;
  readonly name: string;
  readonly value: unknown;
  readonly minimum: number;
}

function checkCount({ operation, name, value, minimum }: Count): void {
  if (value === Infinity || (Number.isInteger(value) && Number(value) >= minimum)) return;
  throw new ConfigurationError(
    `${name} is ${String(value)}: it must be a whole number of at least ${minimum}, or Infinity`,
    { operation },
  );
}

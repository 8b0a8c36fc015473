import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { JsonParser } from '../protocol/json.js';

/**
 * How an endpoint's data is read and checked. The schemas are of any library that implements Standard Schema (zod,
 * valibot, arktype, …); what they transform is transformed.
 */
export interface EndpointOptions<I extends object, O, C> {
  /** Checks the input before it is sent; an input that does not match is a `ValidationError`, and nothing is sent. */
  readonly input?: StandardSchemaV1<I, object>;
  /** Checks the output of a completed job; one that does not match is a `JobOutputError` with the snapshot. */
  readonly output?: StandardSchemaV1<unknown, O>;
  /** Checks each chunk of a stream; one that does not match is a `JobOutputError` with the chunk. */
  readonly chunk?: StandardSchemaV1<unknown, C>;
  /**
   * Turns the text of an answer into a value, for integers beyond 2^53, which `JSON.parse` rounds. It holds for all
   * views of the endpoint, whose reads are shared: the one given last.
   * @defaultValue `JSON.parse`
   */
  readonly parse?: JsonParser;
}

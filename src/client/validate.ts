import type { StandardSchemaV1 } from '@standard-schema/spec';
import { from, map, of, type Observable } from 'rxjs';

/** What a schema said: the value, maybe transformed, or what is wrong, each with the path it is at. */
export type Validated<T> =
  { readonly value: T } | { readonly issues: readonly { readonly path: string; readonly message: string }[] };

/** Runs a Standard Schema; at once where the schema answers at once. */
export function validate<T>(schema: StandardSchemaV1<unknown, T>, value: unknown): Observable<Validated<T>> {
  const result = schema['~standard'].validate(value);
  return result instanceof Promise ? from(result).pipe(map(read)) : of(read(result));
}

function read<T>(result: StandardSchemaV1.Result<T>): Validated<T> {
  if (!result.issues) return { value: result.value };
  return {
    issues: result.issues.map(({ message, path = [] }) => ({
      message,
      path: path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.'),
    })),
  };
}

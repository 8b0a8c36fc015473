import type { StandardSchemaV1 } from '@standard-schema/spec';
import { from, map, of, type Observable } from 'rxjs';
import type { Issue } from '../protocol/checks.js';

/**
 * Checks a value with a Standard Schema, synchronously where the schema is synchronous. Emits the value as the schema
 * returns it, or errors with what `fail` makes of the issues. Without a schema, the value has the type that the caller
 * states.
 */
export function validate<T>(
  schema: StandardSchemaV1<unknown, T> | undefined,
  field: string,
  value: unknown,
  fail: (issues: readonly Issue[]) => Error,
): Observable<T> {
  if (!schema) return of(value as T);
  const result = schema['~standard'].validate(value);
  return ('then' in result ? from(result) : of(result)).pipe(
    map((checked) => {
      if (!checked.issues) return checked.value;
      throw fail(
        checked.issues.map(({ message, path = [] }) => ({
          field: [field, ...path.map((part) => String(typeof part === 'object' ? part.key : part))].join('.'),
          given: 'refused by the schema',
          rule: message,
        })),
      );
    }),
  );
}

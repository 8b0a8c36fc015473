import type { StandardSchemaV1 } from '@standard-schema/spec';
import { catchError, defer, from, map, of, throwError, type Observable } from 'rxjs';
import type { Issue } from '../protocol/checks.js';

/**
 * Checks a value with a Standard Schema, synchronously where the schema is synchronous. Emits the value as the schema
 * returns it, or errors with what `fail` makes of the issues, also where the schema itself fails: a job's output was paid
 * for, and is on that error. Without a schema, the value has the type that the caller states.
 *
 * @param fail - makes the error of the issues, and of what the schema threw
 */
export function validate<T>(
  schema: StandardSchemaV1<unknown, T> | undefined,
  field: string,
  value: unknown,
  fail: (issues: readonly Issue[], cause?: unknown) => Error,
): Observable<T> {
  if (!schema) return of(value as T);
  return defer(() => {
    const result = schema['~standard'].validate(value);
    return isPromise(result) ? from(result) : of(result);
  }).pipe(
    map((result) => checked(result, field)),
    catchError((cause: unknown) => {
      const { message = String(cause) } = Object(cause) as { readonly message?: unknown };
      const given = 'not checked';
      return throwError(() => fail([{ field, given, rule: `the schema failed: ${String(message)}` }], cause));
    }),
    map((found) => {
      if ('issues' in found) throw fail(found.issues);
      return found.value;
    }),
  );
}

/** What a schema says of a value. Throws where it is no result. */
function checked<T>(
  result: StandardSchemaV1.Result<T>,
  field: string,
): { readonly value: T } | { readonly issues: readonly Issue[] } {
  const { issues } = Object(result) as { readonly issues?: StandardSchemaV1.FailureResult['issues'] };
  if (issues) {
    return {
      issues: issues.map(({ message, path = [] }) => ({
        field: [field, ...path.map((part) => String(typeof part === 'object' ? part.key : part))].join('.'),
        given: 'refused by the schema',
        rule: message,
      })),
    };
  }
  if (!('value' in Object(result))) throw new TypeError('it returned neither a value nor issues');
  return { value: (result as StandardSchemaV1.SuccessResult<T>).value };
}

function isPromise<T>(result: T | Promise<T>): result is Promise<T> {
  return typeof (Object(result) as { readonly then?: unknown }).then === 'function';
}

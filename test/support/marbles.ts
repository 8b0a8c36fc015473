import { configure } from 'rxjs-marbles';
import { assert, describe, expect, test } from 'vitest';
import type { Context } from 'rxjs-marbles';

/**
 * Makes a test that is drawn in marbles, in virtual time:
 *
 * ```
 * test('…', marbles((m) => { m.expect(source.pipe(…)).toBeObservable('--a|'); }));
 * ```
 *
 * Values and errors are compared by `toStrictEqual`. For an error that is its name, message and cause; catch the error to
 * compare its other members.
 */
export const { marbles } = configure({
  run: true,
  frameworkMatcher: true,
  assert: (value: unknown, message: string) => {
    assert.ok(value, message);
  },
  assertDeepEqual: (actual: unknown, expected: unknown) => {
    expect(actual).toStrictEqual(expected);
  },
});

/** Makes a test for each row of a table; the keys are the names of the tests. */
export function cases<C extends object>(
  name: string,
  body: (m: Context, row: C & { readonly name: string }) => void,
  rows: Readonly<Record<string, C>>,
): void {
  describe(name, () => {
    for (const [key, row] of Object.entries(rows)) {
      test(
        key,
        marbles((m) => {
          body(m, { ...row, name: key });
        }),
      );
    }
  });
}

import type PgBoss from 'pg-boss';
import { expectTypeOf, test } from 'vitest';
import type { Boss } from 'runpod-rx/pg-boss';

test('an instance of pg-boss is what the worker needs', () => {
  expectTypeOf<PgBoss>().toExtend<Boss>();
});

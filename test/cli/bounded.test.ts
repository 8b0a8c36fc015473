import { runInThisContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { bounded } from '../../src/cli/bounded.js';

const endless = (): never => {
  for (;;);
};

describe('bounded', () => {
  test('returns what the work returns, and throws what it throws', async () => {
    expect(bounded(() => 1, 60_000)).toBe(1);
    await expect(bounded(() => Promise.resolve(2), 60_000)).resolves.toBe(2);
    const error = new Error('mine');
    expect(() =>
      bounded(() => {
        throw error;
      }, 60_000),
    ).toThrow(error);
  });

  test('ends work that blocks for too long, and says so', () => {
    expect(() => bounded(endless, 50)).toThrow('did not give way for 0.05 s');
    expect(bounded(() => 'after', 60_000)).toBe('after');
  });

  test('ends work that blocks in a `finally` block', () => {
    expect(() =>
      bounded(() => {
        try {
          endless();
        } catch {
          endless();
        } finally {
          endless();
        }
      }, 50),
    ).toThrow('did not give way');
  });

  test('ends an inner call without ending the outer call', () => {
    const outer = bounded(() => {
      expect(() => bounded(endless, 30)).toThrow('for 0.03 s');
      return 'outer';
    }, 60_000);
    expect(outer).toBe('outer');
  });

  test('passes on the timeout error of another script', () => {
    expect(() => bounded(() => runInThisContext('for(;;);', { timeout: 20 }) as unknown, 60_000)).toThrow(
      'Script execution timed out after 20ms',
    );
  });
});

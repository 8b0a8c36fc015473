import { AsyncLocalStorage } from 'node:async_hooks';
import { readFile } from 'node:fs/promises';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createRunpod, type Activity } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';

/**
 * What a tracer does, with an `AsyncLocalStorage` as its active context: without `root` and without a parent, a span hangs
 * under whatever is active.
 */
describe('the spans of docs/observability.md', () => {
  it('hang under the caller that made the job, and never under another', async () => {
    const active = new AsyncLocalStorage<string>();
    const spans: { tag: string | undefined; parent: string | undefined }[] = [];
    const startSpan = (tag: string | undefined, root: boolean, parent?: string) =>
      spans.push({ tag, parent: root ? undefined : (parent ?? active.getStore()) });

    const emulator = createEmulator({
      endpoints: { demo: { workers: { min: 5, max: 5 }, handler: (_, { delay }) => delay(700) } },
    });
    const client = createRunpod({ transport: emulator.transport, apiKey: 'key' });
    const parents = new Map<string, string>();
    client.activity$.subscribe((event: Activity) => {
      if (event.type !== 'request') return;
      const parent = event.tag === undefined ? undefined : parents.get(event.tag);
      startSpan(event.tag, parent === undefined, parent);
    });

    const callers = ['a', 'b', 'c', 'd', 'e'];
    await Promise.all(
      callers.map((caller) =>
        active.run(caller, async () => {
          parents.set(caller, caller);
          await firstValueFrom(client.endpoint('demo').job({ input: { caller } }, { tag: caller }).output$, {
            defaultValue: undefined,
          });
        }),
      ),
    );
    expect(new Set(spans.map(({ tag }) => tag))).toEqual(new Set(callers));
    expect(spans.filter(({ tag, parent }) => tag !== parent)).toEqual([]);
  });

  it('say so in the page: a parent by tag, and otherwise a root', async () => {
    const page = await readFile(new URL('../../docs/observability.md', import.meta.url), 'utf8');
    expect(page).toContain('root: parent === undefined');
    expect(page).toContain('parentOf(event.tag)');
  });
});

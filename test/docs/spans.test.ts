import { AsyncLocalStorage } from 'node:async_hooks';
import { runInNewContext } from 'node:vm';
import * as rxjs from 'rxjs';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { createRunpod, type Activity } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import { snippetsIn } from './snippets.js';

interface SpanOptions {
  readonly root: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The recipe of the page: a tracer that a test gives, in place of the page's own. */
type RequestSpans = (
  activity$: rxjs.Observable<Activity>,
  tracer: { startSpan(name: string, options: SpanOptions, parent?: string): unknown },
  parentOf: (tag: string) => string | undefined,
) => rxjs.Observable<never>;

/** The function of the page's own code, which ends where the page's tracer begins. */
function requestSpansOfPage(): RequestSpans {
  const page = snippetsIn('docs/observability.md').find(({ code }) => code.includes('function requestSpans'));
  const [code = ''] = page?.code.split('// A tracer') ?? [];
  const { outputText } = ts.transpileModule(`${code}\nexport const recipe = requestSpans;`, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const exports: { recipe?: RequestSpans } = {};
  runInNewContext(outputText, { exports, require: (name: string) => (name === 'rxjs' ? rxjs : {}) });
  return exports.recipe!;
}

/**
 * What a tracer does, with an `AsyncLocalStorage` as its active context: without `root` and without a parent, a span hangs
 * under whatever is active.
 */
test('the spans of docs/observability.md hang under the caller that made the job, and never under another', async () => {
  const active = new AsyncLocalStorage<string>();
  const spans: { tag: unknown; parent: string | undefined }[] = [];
  const tracer = {
    startSpan: (_name: string, { root, attributes }: SpanOptions, parent?: string) => {
      spans.push({ tag: attributes['runpod.job.tag'], parent: root ? undefined : (parent ?? active.getStore()) });
      return { setAttribute: () => 0, setStatus: () => 0, end: () => 0 };
    },
  };
  const emulator = createEmulator({
    endpoints: { demo: { workers: { min: 5, max: 5 }, handler: (_, { delay }) => delay(700) } },
  });
  const client = createRunpod({ transport: emulator.transport, apiKey: 'key' });
  const parents = new Map<string, string>();
  requestSpansOfPage()(client.activity$, tracer, (tag) => parents.get(tag)).subscribe();

  const callers = ['a', 'b', 'c', 'd', 'e'];
  const jobs = callers.map((caller) =>
    active.run(caller, () => {
      // One caller gives no parent: its spans are roots, whoever's context is active.
      if (caller !== 'e') parents.set(caller, caller);
      const { output$ } = client.endpoint('demo').job({ input: { caller } }, { tag: caller });
      return rxjs.lastValueFrom(output$, { defaultValue: undefined });
    }),
  );
  await Promise.all(jobs);
  expect(new Set(spans.map(({ tag }) => tag))).toEqual(new Set(callers));
  expect(spans.filter(({ tag, parent }) => parent !== (tag === 'e' ? undefined : tag))).toEqual([]);
});

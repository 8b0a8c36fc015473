/** Rendering on a server, without a browser's globals. */
import '@angular/compiler';
import {
  Component,
  REQUEST,
  RESPONSE_INIT,
  effect,
  provideZonelessChangeDetection,
  signal,
  type EnvironmentProviders,
  type Provider,
} from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import { bootstrapApplication, provideClientHydration, type BootstrapContext } from '@angular/platform-browser';
import { provideServerRendering, renderApplication } from '@angular/platform-server';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { concat, delay as pause, filter, firstValueFrom, map, of, take, throwError } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createEmulator, type Emulator, type EmulatorOptions } from 'runpod-rx/testing';
import {
  injectEndpoint,
  jobResource,
  provideRunpod,
  withFetch,
  withServerJobs,
  type JobResourceOptions,
  type RunpodFeature,
  type RunpodProviderOptions,
} from 'runpod-rx/angular';
import { json, stubFetch } from './support/page.js';

type Options = Omit<JobResourceOptions<{ prompt: string }, string, string>, 'endpoint' | 'request'>;

/** What a page is rendered for: somebody's request, unless the application is being built. */
interface Visit {
  readonly prerendering?: boolean;
  readonly response?: ResponseInit;
}

const endpoints: EmulatorOptions['endpoints'] = {
  poet: ({ input }, { delay }) => delay(20).pipe(map(() => `an ode to ${String(input.prompt)}`)),
  slow: (_, { delay }) => delay(60_000),
  teller: {
    stream: true,
    handler: (_, { scheduler }) => concat(...['Once', 'upon'].map((word) => of(word).pipe(pause(10, scheduler)))),
  },
  broken: () => {
    throw new Error('out of memory');
  },
};

const template = `<p>{{ poem.status() }} {{ poem.value() ?? poem.chunks().join(' ') }}</p>`;

function poem(id: string, options: Options = {}): new () => object {
  class Poem {
    readonly poem = jobResource({
      endpoint: injectEndpoint<{ prompt: string }, string, string>(id),
      request: () => ({ input: { prompt: 'the sea' } }),
      ...options,
    });
  }
  Component({ selector: 'app-root', template })(Poem);
  return Poem;
}

async function render(
  component: new () => object,
  providers: (Provider | EnvironmentProviders)[],
  { prerendering = false, response }: Visit = {},
): Promise<string> {
  const bootstrap = (context: BootstrapContext) =>
    bootstrapApplication(
      component,
      {
        providers: [provideServerRendering(), provideZonelessChangeDetection(), provideClientHydration(), ...providers],
      },
      context,
    );
  return renderApplication(bootstrap, {
    document: '<html><head></head><body><app-root></app-root></body></html>',
    url: 'https://app.example/poems?page=1',
    allowedHosts: ['app.example'],
    platformProviders: prerendering
      ? []
      : [
          { provide: REQUEST, useValue: new Request('https://app.example/poems') },
          { provide: RESPONSE_INIT, useValue: response ?? {} },
        ],
  });
}

function emulated(
  emulator: Emulator,
  options: RunpodProviderOptions = {},
  ...features: RunpodFeature[]
): EnvironmentProviders {
  return provideRunpod({ transport: emulator.transport, ...options }, ...features);
}

/** What the HTML hands over to the page. */
function handedOver(html: string): Record<string, unknown>[] {
  const [, text = '{}'] = /<script id="ng-state" type="application\/json">(.*?)<\/script>/s.exec(html) ?? [];
  return (JSON.parse(text) as { 'runpod-rx'?: Record<string, unknown>[] })['runpod-rx'] ?? [];
}

const shown = (html: string) => /<p>(.*?)<\/p>/.exec(html)?.[1]?.trim();

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('rendering on a server', () => {
  it('S31 submits nothing, and renders what the page shows first', async () => {
    const emulator = createEmulator({ endpoints });
    const html = await render(poem('poet'), [emulated(emulator)]);
    expect(shown(html)).toBe('submitting');
    expect(emulator.requests()).toEqual([]);
    expect(handedOver(html)).toEqual([]);
  });

  it('S31 submits nothing by a subscription of the application, unless withServerJobs() says so', async () => {
    class Raw {
      readonly poem = toSignal(
        injectEndpoint<{ prompt: string }, string>('poet').job({ input: { prompt: 'a' } }).output$,
      );
    }
    Component({ selector: 'app-root', template: `<p>{{ poem() ?? 'waiting' }}</p>` })(Raw);
    const emulator = createEmulator({ endpoints });
    expect(shown(await render(Raw, [emulated(emulator)]))).toBe('waiting');
    expect(emulator.jobs()).toEqual([]);
    await render(Raw, [emulated(emulator, {}, withServerJobs())]);
    expect(emulator.jobs()).toHaveLength(1);
    await render(Raw, [emulated(emulator, {}, withServerJobs())], { prerendering: true });
    expect(emulator.jobs()).toHaveLength(1);
  });

  it('S31 never submits while the application is built', async () => {
    const emulator = createEmulator({ endpoints });
    const html = await render(poem('poet', { server: 'run' }), [emulated(emulator)], { prerendering: true });
    expect(shown(html)).toBe('submitting');
    expect(emulator.requests()).toEqual([]);
  });

  it('waits for a job with `server: run`, and hands it over with the HTML, which is one user’s alone', async () => {
    const emulator = createEmulator({ endpoints });
    const response: ResponseInit = { headers: { 'x-own': 'kept' } };
    const html = await render(poem('poet', { server: 'run' }), [emulated(emulator)], { response });
    expect(shown(html)).toBe('done an ode to the sea');
    const [job] = emulator.jobs();
    expect(handedOver(html)).toMatchObject([
      {
        endpointId: 'poet',
        request: { input: { prompt: 'the sea' } },
        ref: { id: job!.id },
        snapshot: { status: 'COMPLETED', output: 'an ode to the sea' },
      },
    ]);
    const headers = new Headers(response.headers);
    expect(headers.get('cache-control')).toBe('private, no-store');
    expect(headers.get('x-own')).toBe('kept');
    expect(emulator.jobs()).toHaveLength(1);
  });

  it('waits no longer than `serverWait`: the job goes on, and is handed over as it is', async () => {
    const emulator = createEmulator({ endpoints });
    const html = await render(poem('slow', { server: 'run', serverWait: 30 }), [emulated(emulator)]);
    expect(shown(html)).toMatch(/^(queued|running)$/);
    expect(handedOver(html)).toMatchObject([{ ref: { id: emulator.jobs()[0]!.id } }]);
    expect(emulator.requests().filter(({ operation }) => operation === 'cancel')).toEqual([]);
    expect(emulator.jobs()[0]!.status).toBe('IN_PROGRESS');
    emulator.close();
  });

  it('hands over the chunks of a stream that was read to its end, and begins none of a job that still runs', async () => {
    const emulator = createEmulator({ endpoints });
    const html = await render(poem('teller', { server: 'run', stream: true }), [emulated(emulator)]);
    expect(shown(html)).toMatch(/^done/);
    expect(handedOver(html)).toMatchObject([{ chunks: ['Once', 'upon'], ref: { chunks: 2 } }]);
    const running = await render(poem('slow', { server: 'run', stream: true, serverWait: 30 }), [emulated(emulator)]);
    expect(handedOver(running)).toMatchObject([{ ref: { id: emulator.jobs()[1]!.id } }]);
    expect(emulator.jobs()[1]!.status).toBe('IN_PROGRESS');
    expect(
      emulator.requests().filter(({ endpointId, operation }) => endpointId === 'slow' && operation === 'stream'),
    ).toEqual([]);
    emulator.close();
  });

  it('S16 hands over a job whose stream it could not read to the end, so that the page reads it on', async () => {
    const emulator = createEmulator({
      endpoints,
      faults: [{ fault: 'answer', on: 'stream', status: 403, body: '{}' }],
    });
    const html = await render(poem('teller', { server: 'run', stream: true, serverWait: 600_000 }), [
      emulated(emulator),
    ]);
    expect(handedOver(html)).toMatchObject([{ snapshot: { status: 'COMPLETED' }, hasMoreChunks: true }]);
    emulator.close();
  });

  it('S31 hands over a job that its server could not record, so that the page does not submit again', async () => {
    const emulator = createEmulator({ endpoints });
    const afterSubmit = () => throwError(() => new Error('the database is down'));
    const html = await render(poem('poet', { server: 'run', afterSubmit }), [emulated(emulator)]);
    expect(handedOver(html)).toMatchObject([{ endpointId: 'poet', ref: { id: emulator.jobs()[0]!.id } }]);
    emulator.close();
  });

  it('hands over no text in place of a date that the schema of the output has made', async () => {
    const emulator = createEmulator({ endpoints });
    const output: StandardSchemaV1<unknown, Date> = {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ value: new Date(0) }) },
    };
    class Poem {
      readonly poem = jobResource({
        endpoint: injectEndpoint<{ prompt: string }, Date>('poet', { output }),
        request: () => ({ input: { prompt: 'the sea' } }),
        server: 'run',
      });
    }
    Component({ selector: 'app-root', template: '<p>{{ poem.value()?.getTime() }}</p>' })(Poem);
    const html = await render(Poem, [emulated(emulator)]);
    expect(shown(html)).toBe('0');
    const [job] = handedOver(html);
    expect(job).toMatchObject({ ref: { id: emulator.jobs()[0]!.id } });
    expect(job).not.toHaveProperty('snapshot');
  });

  it('S31 hands over that the answer to a submission was lost, so that the page does not submit again', async () => {
    const emulator = createEmulator({ endpoints, faults: [{ fault: 'reset-after', on: 'run' }] });
    const html = await render(poem('poet', { server: 'run' }), [emulated(emulator)]);
    expect(shown(html)).toBe('failed');
    expect(handedOver(html)).toMatchObject([{ endpointId: 'poet', lost: expect.stringContaining('run') }]);
  });

  it('S31 neither waits for a job whose request has changed, nor hands it over', async () => {
    const emulator = createEmulator({ endpoints });
    class Poem {
      readonly prompt = signal('the sea');
      readonly poem = jobResource({
        endpoint: injectEndpoint<{ prompt: string }, string, string>('poet'),
        request: () => ({ input: { prompt: this.prompt() } }),
        server: 'run',
        serverWait: 600_000,
      });
      constructor() {
        effect(() => {
          if (this.poem.job()) this.prompt.set('a storm');
        });
      }
    }
    Component({ selector: 'app-root', template })(Poem);
    const html = await render(Poem, [emulated(emulator)]);
    expect(shown(html)).toBe('done an ode to a storm');
    expect(handedOver(html)).toMatchObject([{ request: { input: { prompt: 'a storm' } } }]);
    expect(handedOver(html)).toHaveLength(1);
  });

  it('S31 hands over a job of which JSON cannot carry everything: the page reads the rest, or has a gap', async () => {
    const emulator = createEmulator({ endpoints });
    class Poem {
      readonly poem = jobResource({
        endpoint: injectEndpoint<{ prompt: string }, unknown, bigint>('teller', {
          parse: (text) => JSON.parse(text, (_, value: unknown) => (value === 'upon' ? 2n ** 64n : value)) as unknown,
        }),
        request: () => ({ input: { prompt: 'the sea' } }),
        server: 'run',
        stream: true,
      });
    }
    Component({ selector: 'app-root', template: '<p>{{ poem.chunks().join() }}</p>' })(Poem);
    const html = await render(Poem, [emulated(emulator)]);
    expect(shown(html)).toBe('Once,18446744073709551616');
    const { id } = emulator.jobs()[0]!;
    const [job] = handedOver(html);
    expect(job).toMatchObject({ endpointId: 'teller', ref: { id, gap: true } });
    expect(job).not.toHaveProperty('chunks');
    expect(job).not.toHaveProperty('ref.chunks');
  });

  it('completes a relative base URL by the URL of the page, without a key', async () => {
    vi.stubEnv('RUNPOD_API_KEY', 'the-servers-own');
    const sendings = stubFetch(() => json({ id: 'j', status: 'COMPLETED', output: 'an ode' }));
    const html = await render(poem('poet', { server: 'run' }), [
      provideRunpod({ baseUrl: '/api/runpod' }, withFetch()),
    ]);
    expect(shown(html)).toBe('done an ode');
    expect(sendings[0]!.url).toBe('https://app.example/api/runpod/poet/run');
    expect(sendings[0]!.init.headers).not.toHaveProperty('authorization');
    vi.unstubAllEnvs();
  });

  it.each([undefined, 'cancel-if-queued', 'detach'] as const)(
    'S5 cancels a job whose submission is unanswered when rendering has waited for long enough, also with %s',
    async (onUnsubscribe) => {
      const emulator = createEmulator({ endpoints });
      const late: RunpodProviderOptions = {
        transport: Object.assign(
          (request: Parameters<typeof emulator.transport>[0]) =>
            emulator.transport(request).pipe(pause(request.operation === 'run' ? 200 : 0)),
          { multiplexes: true },
        ),
      };
      const options = { server: 'run', serverWait: 30, ...(onUnsubscribe && { onUnsubscribe }) } as const;
      const html = await render(poem('slow', options), [provideRunpod(late)]);
      expect(shown(html)).toBe('submitting');
      expect(handedOver(html)).toEqual([]);
      const cancel$ = emulator.requests$.pipe(
        filter(({ operation }) => operation === 'cancel'),
        take(1),
      );
      await firstValueFrom(cancel$);
      expect(emulator.jobs()[0]!.status).toBe('CANCELLED');
      emulator.close();
    },
  );
});

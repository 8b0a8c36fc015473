// @vitest-environment jsdom
import { emulated } from './support/testBed.js';
import {
  EnvironmentInjector,
  InjectionToken,
  createEnvironmentInjector,
  inject,
  runInInjectionContext,
  provideZonelessChangeDetection,
} from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { firstValueFrom, map } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { patiently } from './support/patiently.js';
import { Runpod } from 'runpod-rx';
import {
  injectEndpoint,
  injectRunpod,
  provideRunpod,
  withEvents,
  withFetch,
  withPageHide,
  type RunpodFeature,
  type RunpodProviderOptions,
} from 'runpod-rx/angular';
import type { RunpodTestingOptions } from 'runpod-rx/angular/testing';
import { json, paths, stubFetch } from './support/page.js';

afterEach(() => {
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
});

function provided(
  options?: RunpodProviderOptions | (() => RunpodProviderOptions),
  ...features: RunpodFeature[]
): EnvironmentInjector {
  TestBed.configureTestingModule({
    providers: [provideZonelessChangeDetection(), provideRunpod(options, ...features)],
  });
  return TestBed.inject(EnvironmentInjector);
}

/** The page is hidden: for good, or into the back/forward cache. */
function hide(persisted: boolean): void {
  window.dispatchEvent(Object.assign(new Event('pagehide'), { persisted }));
}

const slow: RunpodTestingOptions = { endpoints: { e: (_, { delay }) => delay(60_000) } };

describe('injectRunpod', () => {
  it('gives one client for each provideRunpod, made when it is first asked for', () => {
    const options = vi.fn(() => ({ baseUrl: '/api' }));
    const injector = provided(options);
    expect(options).not.toHaveBeenCalled();
    const client = runInInjectionContext(injector, injectRunpod);
    expect(client).toBeInstanceOf(Runpod);
    expect(runInInjectionContext(injector, injectRunpod)).toBe(client);
    const child = createEnvironmentInjector([provideRunpod()], injector);
    expect(runInInjectionContext(child, injectRunpod)).not.toBe(client);
    expect(options).toHaveBeenCalledTimes(1);
    child.destroy();
  });

  it('says what is missing', () => {
    TestBed.configureTestingModule({ providers: [provideZonelessChangeDetection()] });
    expect(() => TestBed.runInInjectionContext(injectRunpod)).toThrow(/provideRunpod/);
    expect(() => injectRunpod()).toThrow(/injectRunpod/);
  });

  it('calls a function of options where it may inject', async () => {
    const BASE = new InjectionToken('base', { factory: () => '/of/the/environment' });
    const sendings = stubFetch(() => json({ id: 'j', status: 'IN_QUEUE' }));
    const injector = provided(() => ({ baseUrl: inject(BASE) }), withFetch());
    await firstValueFrom(runInInjectionContext(injector, () => injectEndpoint('e')).status('j'));
    expect(sendings[0]!.url).toBe('/of/the/environment/e/status/j');
  });

  it('asks /api/runpod by default, without a key, whatever the environment has', async () => {
    vi.stubEnv('RUNPOD_API_KEY', 'the-servers-own');
    const sendings = stubFetch(() => json({ id: 'j', status: 'IN_QUEUE' }));
    const injector = provided(undefined, withFetch());
    await firstValueFrom(runInInjectionContext(injector, () => injectEndpoint('e')).status('j'));
    expect(sendings[0]!.url).toBe('/api/runpod/e/status/j');
    expect(sendings[0]!.init.headers).not.toHaveProperty('authorization');
  });

  it('S21 refuses a key in a page', () => {
    const remote = { baseUrl: 'https://api.runpod.ai/v2', apiKey: 'placeholder' };
    const make = (options: RunpodProviderOptions) => () => {
      TestBed.resetTestingModule();
      return runInInjectionContext(provided(options), injectRunpod);
    };
    expect(make(remote)).toThrow(/every visitor can read/);
    expect(make({ ...remote, allowBrowser: true })).not.toThrow();
    expect(make({ ...remote, baseUrl: 'http://127.0.0.1:8080' })).not.toThrow();
  });

  it('S20 refuses an option that does not exist', () => {
    expect(() => runInInjectionContext(provided({ baseURL: '/api' } as never), injectRunpod)).toThrow(/baseUrl/);
  });

  it('S4 closes the client with its injector: jobs are left by their policy', () => {
    const ledger = emulated(slow);
    const endpoint = TestBed.runInInjectionContext(() => injectEndpoint('e'));
    endpoint.job({ input: { a: 1 } }).output$.subscribe({ error: () => {} });
    endpoint.job({ input: { a: 2 } }, { onUnsubscribe: 'detach' }).output$.subscribe({ error: () => {} });
    ledger.advance(1_000);
    // Without rendering, which is over.
    TestBed.resetTestingModule();
    expect(ledger.emulator.requests().filter(({ operation }) => operation === 'cancel')).toHaveLength(1);
  });
});

describe('a page that is hidden', () => {
  it('leaves its jobs by their policies when it goes away for good', () => {
    const ledger = emulated(slow);
    const endpoint = TestBed.runInInjectionContext(() => injectEndpoint('e'));
    endpoint.job({ input: { a: 1 } }).output$.subscribe({ error: () => {} });
    endpoint.job({ input: { a: 2 } }, { onUnsubscribe: 'detach' }).output$.subscribe({ error: () => {} });
    ledger.advance(1_000);
    hide(false);
    ledger.advance(1_000);
    expect(ledger.statuses()).toEqual(['CANCELLED', 'IN_PROGRESS']);
  });

  it('keeps them when it goes into the back/forward cache', () => {
    const ledger = emulated({ endpoints: { e: (_, { delay }) => delay(10_000).pipe(map(() => 'done')) } });
    const outputs: unknown[] = [];
    const endpoint = TestBed.runInInjectionContext(() => injectEndpoint('e'));
    endpoint.job({ input: { a: 1 } }).output$.subscribe((output) => outputs.push(output));
    ledger.advance(1_000);
    hide(true);
    ledger.advance(20_000);
    expect(outputs).toEqual(['done']);
    expect(ledger.statuses()).toEqual(['COMPLETED']);
  });

  it('keeps them with withPageHide("nothing")', () => {
    const ledger = emulated({ ...slow, features: [withPageHide('nothing')] });
    const endpoint = TestBed.runInInjectionContext(() => injectEndpoint('e'));
    endpoint.job({ input: { a: 1 } }).output$.subscribe({ error: () => {} });
    ledger.advance(1_000);
    hide(false);
    ledger.advance(1_000);
    expect(ledger.statuses()).toEqual(['IN_PROGRESS']);
  });

  it('sends the cancels at once, since there is no later', async () => {
    const sendings = stubFetch(({ url }) =>
      json({ id: 'j', status: url.includes('cancel') ? 'CANCELLED' : 'IN_PROGRESS' }),
    );
    const endpoint = runInInjectionContext(provided(undefined, withFetch()), () => injectEndpoint('e'));
    const job = endpoint.job({ input: { a: 1 } });
    job.output$.subscribe({ error: () => {} });
    await firstValueFrom(job.id$);
    hide(false);
    expect(paths(sendings).at(-1)).toBe('e/cancel/j');
    expect(sendings.at(-1)!.init.keepalive).toBe(true);
  });

  it('is not listened to any more once the injector is gone', () => {
    const remove = vi.spyOn(window, 'removeEventListener');
    runInInjectionContext(provided(undefined, withFetch()), injectRunpod);
    TestBed.resetTestingModule();
    expect(remove).toHaveBeenCalledWith('pagehide', expect.anything());
  });
});

describe('withEvents', () => {
  it.each([
    [undefined, '/api/runpod', '/api/runpod/events'],
    [undefined, '/api/runpod/?tenant=7', '/api/runpod/events?tenant=7'],
    ['/pushed', '/api/runpod', '/pushed'],
  ])('%s: connects while there are jobs to follow', async (url, baseUrl, expected) => {
    vi.stubGlobal('navigator', {});
    const sendings = stubFetch(({ url: asked }) =>
      asked === expected ? new Response(null, { status: 404 }) : json({ id: 'j', status: 'IN_PROGRESS' }),
    );
    const endpoint = runInInjectionContext(provided({ baseUrl }, withFetch(), withEvents(url)), () =>
      injectEndpoint('e'),
    );
    expect(sendings).toEqual([]);
    endpoint.watch('j').subscribe({ error: () => {} });
    await patiently(() => expect(sendings.map((sending) => sending.url)).toContain(expected));
  });
});

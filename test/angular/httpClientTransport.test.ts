// @vitest-environment jsdom
import './support/testBed.js';
import {
  HttpErrorResponse,
  HttpEventType,
  HttpRequest,
  HttpResponse,
  provideHttpClient,
  withInterceptors,
  withInterceptorsFromDi,
  withRequestsMadeViaParent,
  withXsrfConfiguration,
  HTTP_INTERCEPTORS,
  type HttpInterceptor,
  type HttpInterceptorFn,
} from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import {
  ApplicationRef,
  EnvironmentInjector,
  InjectionToken,
  PendingTasks,
  createEnvironmentInjector,
  inject,
  runInInjectionContext,
  provideZonelessChangeDetection,
  type EnvironmentProviders,
  type Provider,
} from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { EMPTY, catchError, concatMap, firstValueFrom, of, retry, tap, throwError, type Observable } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { patiently } from './support/patiently.js';
import { isRunpodError, type Endpoint } from 'runpod-rx';
import { injectEndpoint, provideRunpod, withFetch, type RunpodFeature } from 'runpod-rx/angular';
import { json, paths, stubFetch } from './support/page.js';

type Providers = (Provider | EnvironmentProviders)[];

const TENANT = new InjectionToken<string>('tenant');

/** Adds what an application's interceptor adds. */
const authorize: HttpInterceptorFn = (request, next) =>
  next(request.clone({ setHeaders: { 'X-Tenant': inject(TENANT) }, withCredentials: true }));

/** An endpoint in an injector that can be destroyed, as an application is. */
function application(
  providers: Providers,
  ...features: RunpodFeature[]
): { endpoint: Endpoint<{ a: number }>; destroy(): void } {
  TestBed.configureTestingModule({ providers: [provideZonelessChangeDetection()] });
  const injector = createEnvironmentInjector(
    [{ provide: TENANT, useValue: 'acme' }, ...providers, provideRunpod({}, ...features)] as EnvironmentProviders[],
    TestBed.inject(EnvironmentInjector),
  );
  return {
    endpoint: runInInjectionContext(injector, () => injectEndpoint<{ a: number }>('e')),
    destroy: () => injector.destroy(),
  };
}

const queued = { id: 'job-1', status: 'IN_QUEUE' };
const cancelled = { id: 'job-1', status: 'CANCELLED' };
const request = { input: { a: 1 } };

afterEach(() => {
  vi.unstubAllGlobals();
  document.cookie = 'XSRF-TOKEN=; max-age=0';
});

describe('httpClientTransport', () => {
  it('sends through the interceptors, with the XSRF header on what changes something', async () => {
    document.cookie = 'XSRF-TOKEN=token-1';
    const sendings = stubFetch(() => json(queued));
    const { endpoint } = application([provideHttpClient(withInterceptors([authorize]))]);
    await firstValueFrom(endpoint.run(request));
    await firstValueFrom(endpoint.status('job-1'));
    await firstValueFrom(endpoint.cancel('job-1'));
    expect(paths(sendings)).toEqual(['e/run', 'e/status/job-1', 'e/cancel/job-1']);
    expect(sendings.map(({ init }) => init.headers['x-tenant'])).toEqual(['acme', 'acme', 'acme']);
    expect(sendings.map(({ init }) => init.headers['x-xsrf-token'])).toEqual(['token-1', undefined, 'token-1']);
    expect(sendings.map(({ init }) => init.credentials)).toEqual(['include', 'include', 'include']);
    expect(sendings.map(({ init }) => init.keepalive)).toEqual([undefined, undefined, true]);
    expect(sendings[0]!.init.body).toBe('{"input":{"a":1}}');
    expect(sendings[0]!.init.headers).not.toHaveProperty('authorization');
  });

  it('runs interceptors that are classes', async () => {
    class Stamp implements HttpInterceptor {
      intercept: HttpInterceptor['intercept'] = (given, next) =>
        next.handle(given.clone({ setHeaders: { 'X-Stamp': 'yes' } }));
    }
    const sendings = stubFetch(() => json(queued));
    const { endpoint } = application([
      provideHttpClient(withInterceptorsFromDi()),
      { provide: HTTP_INTERCEPTORS, useClass: Stamp, multi: true },
    ]);
    await firstValueFrom(endpoint.run(request));
    expect(sendings[0]!.init.headers['x-stamp']).toBe('yes');
  });

  it('sends the cancels of a destroyed injector with what interceptors had added, and the current XSRF token', async () => {
    document.cookie = 'MY-XSRF=token-1';
    const sendings = stubFetch(({ url }) => json(url.includes('cancel') ? cancelled : queued));
    const { endpoint, destroy } = application([
      provideHttpClient(
        withInterceptors([authorize, (given, next) => next(given.clone({ setParams: { tab: '7' } }))]),
        withXsrfConfiguration({ cookieName: 'MY-XSRF', headerName: 'X-My-Xsrf' }),
      ),
    ]);
    const job = endpoint.job(request);
    job.output$.subscribe({ error: () => {} });
    await firstValueFrom(job.id$);
    document.cookie = 'MY-XSRF=token-2';
    destroy();
    await patiently(() => expect(paths(sendings)).toContain('e/cancel/job-1?tab=7'));
    const { init } = sendings.at(-1)!;
    expect(init).toMatchObject({ keepalive: true, credentials: 'include', method: 'POST' });
    expect(init.headers).toMatchObject({ 'x-tenant': 'acme', 'x-my-xsrf': 'token-2' });
    document.cookie = 'MY-XSRF=; max-age=0';
  });

  it.each<[string, (url: string) => string]>([
    ['adds a host', (url) => `https://gateway.example${url}`],
    ['adds a folder and a query', (url) => `/internal${url}?tab=7`],
    ['replaces a folder', (url) => url.replace('/api/', 'https://gateway.example/v1/')],
    ['replaces a folder, and adds a query', (url) => `${url.replace('/api/', '/v1/')}?tab=7`],
  ])(
    'S4 sends the cancels of a destroyed injector to the right address where an interceptor %s',
    async (_, rewrite) => {
      const sendings = stubFetch(({ url }) => json(url.includes('/cancel/') ? cancelled : queued));
      const { endpoint, destroy } = application([
        provideHttpClient(withInterceptors([(given, next) => next(given.clone({ url: rewrite(given.url) }))])),
      ]);
      const job = endpoint.job(request);
      job.output$.subscribe({ error: () => {} });
      await firstValueFrom(job.id$);
      const expected = sendings[0]!.url.replace(/\/run(?=$|\?)/, '/cancel/job-1');
      destroy();
      await patiently(() => expect(sendings.at(-1)!.url).toContain('/cancel/'));
      expect(sendings.at(-1)!.url).toBe(expected);
    },
  );

  it('S4 sends the cancel of a destroyed injector to the right address where only reads were sent before', async () => {
    const running = { id: 'job-1', status: 'IN_PROGRESS' };
    const sendings = stubFetch(({ url }) => {
      if (url.includes('status-sync')) return new Promise(() => {});
      return json(url.includes('/cancel/') ? cancelled : running);
    });
    const { endpoint, destroy } = application([
      provideHttpClient(withInterceptors([(given, next) => next(given.clone({ setParams: { tab: '7' } }))])),
    ]);
    endpoint.attach('job-1', { onUnsubscribe: 'cancel' }).output$.subscribe({ error: () => {} });
    await patiently(() => expect(sendings.at(-1)!.url).toMatch(/status-sync.*wait=\d+&tab=7$/));
    destroy();
    await patiently(() => expect(sendings.at(-1)!.url).toContain('/cancel/'));
    expect(paths(sendings).at(-1)).toBe('e/cancel/job-1?tab=7');
  });

  it('sends the XSRF token of the page to no other origin, as Angular does', async () => {
    document.cookie = 'XSRF-TOKEN=token-1';
    const sendings = stubFetch(({ url }) => json(url.includes('/cancel/') ? cancelled : queued));
    TestBed.configureTestingModule({ providers: [provideZonelessChangeDetection()] });
    const injector = createEnvironmentInjector(
      [provideHttpClient(), provideRunpod({ baseUrl: 'https://api.example/runpod' })] as EnvironmentProviders[],
      TestBed.inject(EnvironmentInjector),
    );
    const job = runInInjectionContext(injector, () => injectEndpoint<{ a: number }>('e')).job(request);
    job.output$.subscribe({ error: () => {} });
    await firstValueFrom(job.id$);
    injector.destroy();
    await patiently(() => expect(sendings.at(-1)!.url).toBe('https://api.example/runpod/e/cancel/job-1'));
    for (const { init } of sendings) expect(init.headers).not.toHaveProperty('x-xsrf-token');
  });

  it('S5 reads the answer to a submission although the injector was destroyed meanwhile, and cancels the job', async () => {
    let answer = (_: Response) => {};
    const sendings = stubFetch(({ url }) =>
      url.endsWith('/run') ? new Promise((resolve) => (answer = resolve)) : json(cancelled),
    );
    const { endpoint, destroy } = application([provideHttpClient(withInterceptors([authorize]))]);
    endpoint.job(request).output$.subscribe({ error: () => {} });
    await patiently(() => expect(sendings).toHaveLength(1));
    destroy();
    expect(sendings[0]!.init.signal?.aborted).toBe(false);
    answer(json(queued));
    await patiently(() => expect(paths(sendings)).toEqual(['e/run', 'e/cancel/job-1']));
  });

  it('sends a cancel without keepalive where the browser takes no more with it', async () => {
    const sendings = stubFetch(({ init }) => {
      if (init.keepalive) throw new TypeError('Failed to fetch');
      return json(cancelled);
    });
    const { endpoint } = application([provideHttpClient()]);
    expect(await firstValueFrom(endpoint.cancel('job-1'))).toMatchObject({ status: 'CANCELLED' });
    expect(sendings.map(({ init }) => init.keepalive)).toEqual([true, undefined]);
  });

  it.each<[string, (endpoint: Endpoint) => Observable<unknown>]>([
    ['run', (endpoint) => endpoint.run(request)],
    ['a request of your own', (endpoint) => endpoint.request('openai/v1/completions', { body: { prompt: 'hello' } })],
  ])('S32 sends a submission once that an interceptor repeats: %s', async (_, submit) => {
    const sendings = stubFetch(() => json({ error: 'bad gateway' }, 502));
    const { endpoint } = application([
      provideHttpClient(withInterceptors([(given, next) => next(given).pipe(retry(3))])),
    ]);
    const error: unknown = await firstValueFrom(submit(endpoint)).catch((thrown: unknown) => thrown);
    expect(isRunpodError(error, 'submission_unknown')).toBe(true);
    expect(sendings).toHaveLength(1);
  });

  describe('S32 below an HttpClient that makes its requests by its parent', () => {
    const parent = (...interceptors: HttpInterceptorFn[]) => {
      TestBed.configureTestingModule({
        providers: [provideZonelessChangeDetection(), provideHttpClient(withInterceptors(interceptors))],
      });
      const stamp: HttpInterceptorFn = (given, next) => next(given.clone({ setHeaders: { 'X-Child': 'yes' } }));
      const injector = createEnvironmentInjector(
        [
          provideHttpClient(withInterceptors([stamp]), withRequestsMadeViaParent()),
          provideRunpod(),
        ] as EnvironmentProviders[],
        TestBed.inject(EnvironmentInjector),
      );
      const endpoint = runInInjectionContext(injector, () => injectEndpoint<{ a: number }>('e'));
      return { endpoint, destroy: () => injector.destroy() };
    };

    it('sends a submission once that an interceptor of the parent repeats', async () => {
      const sendings = stubFetch(() => json({ error: 'bad gateway' }, 502));
      const { endpoint } = parent((given, next) => next(given).pipe(retry(3)));
      const error: unknown = await firstValueFrom(endpoint.run(request)).catch((thrown: unknown) => thrown);
      expect(isRunpodError(error, 'submission_unknown')).toBe(true);
      expect(sendings).toHaveLength(1);
    });

    it('runs the interceptors of both, and sends the cancel with what they had added', async () => {
      const sendings = stubFetch(({ url }) => json(url.includes('/cancel/') ? cancelled : queued));
      const { endpoint, destroy } = parent((given, next) => next(given.clone({ setHeaders: { 'X-Parent': 'yes' } })));
      const job = endpoint.job(request);
      job.output$.subscribe({ error: () => {} });
      await firstValueFrom(job.id$);
      destroy();
      await patiently(() => expect(paths(sendings).at(-1)).toBe('e/cancel/job-1'));
      for (const { init } of [sendings[0]!, sendings.at(-1)!])
        expect(init.headers).toMatchObject({ 'x-child': 'yes', 'x-parent': 'yes' });
      expect(sendings.at(-1)!.init.keepalive).toBe(true);
    });
  });

  it('lets an interceptor repeat what was refused, such as with a new token', async () => {
    const answers = [json({}, 401), json(queued)];
    const sendings = stubFetch(() => answers.shift()!);
    const refresh: HttpInterceptorFn = (given, next) =>
      next(given).pipe(
        catchError((error: HttpErrorResponse) => {
          if (error.status !== 401) return throwError(() => error);
          return next(given.clone({ setHeaders: { 'X-Token': 'new' } }));
        }),
      );
    const { endpoint } = application([provideHttpClient(withInterceptors([refresh]))]);
    expect(await firstValueFrom(endpoint.run(request))).toMatchObject({ id: 'job-1' });
    expect(sendings[1]!.init.headers['x-token']).toBe('new');
  });

  it('tells the client what the server answered, whatever an interceptor makes of it', async () => {
    stubFetch(() => json({ error: 'no such endpoint' }, 404));
    const seen: unknown[] = [];
    const translate: HttpInterceptorFn = (given, next) =>
      next(given).pipe(
        tap({ error: (error: unknown) => seen.push(error) }),
        catchError(() => throwError(() => new Error('something went wrong'))),
      );
    const { endpoint } = application([provideHttpClient(withInterceptors([translate]))]);
    const error: unknown = await firstValueFrom(endpoint.run(request)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'not_found', accepted: 'no' });
    expect(seen[0]).toBeInstanceOf(HttpErrorResponse);
    expect(seen[0]).toMatchObject({ status: 404 });
  });

  describe('S1 where an interceptor makes a refusal of its own', () => {
    const refusal = new HttpErrorResponse({ status: 400, error: 'the envelope is not valid' });
    const refuse: HttpInterceptorFn = (given, next) =>
      next(given).pipe(
        concatMap((event) => (event instanceof HttpResponse ? throwError(() => refusal) : of(event))),
        catchError(() => throwError(() => refusal)),
      );

    it('the client has the job that the server has accepted', async () => {
      stubFetch(() => json(queued));
      const { endpoint } = application([provideHttpClient(withInterceptors([refuse]))]);
      expect(await firstValueFrom(endpoint.run(request))).toMatchObject({ id: 'job-1' });
    });

    it('the client does not take it for the server’s, where the server’s answer was lost', async () => {
      const sendings = stubFetch(() => Promise.reject(new TypeError('Failed to fetch')));
      const { endpoint } = application([provideHttpClient(withInterceptors([refuse]))]);
      const error: unknown = await firstValueFrom(endpoint.run(request)).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'submission_unknown', accepted: 'unknown' });
      expect(sendings).toHaveLength(1);
    });

    it('the client takes it where nothing was sent', async () => {
      const sendings = stubFetch(() => json(queued));
      const signedOut = () => throwError(() => new HttpErrorResponse({ status: 401 }));
      const { endpoint } = application([provideHttpClient(withInterceptors([signedOut]))]);
      const error: unknown = await firstValueFrom(endpoint.run(request)).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'authentication', accepted: 'no' });
      expect(sendings).toEqual([]);
    });
  });

  it('S1 does not know whether a request was received that an interceptor has made in place of the client’s', async () => {
    const sendings = stubFetch(() => Promise.reject(new TypeError('Failed to fetch')));
    const rebuild: HttpInterceptorFn = ({ url, body, headers }, next) =>
      next(new HttpRequest('POST', url, body, { headers, responseType: 'text' }));
    const { endpoint } = application([provideHttpClient(withInterceptors([rebuild]))]);
    const error: unknown = await firstValueFrom(endpoint.run(request)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'submission_unknown', accepted: 'unknown' });
    expect(sendings).toHaveLength(1);
  });

  it.each([
    ['throws', () => throwError(() => new Error('signed out'))],
    ['gives no answer', () => EMPTY],
  ] as const)('S1 knows that nothing was sent where an interceptor %s', async (_, refuse) => {
    const sendings = stubFetch(() => json(queued));
    const { endpoint } = application([provideHttpClient(withInterceptors([refuse]))]);
    const run$ = endpoint.run(request, { timeout: 20 });
    const error: unknown = await firstValueFrom(run$).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ accepted: 'no' });
    expect(sendings).toEqual([]);
  });

  it('takes the answer of an interceptor', async () => {
    const sendings = stubFetch(() => json({}));
    const mock: HttpInterceptorFn = () => of(new HttpResponse({ status: 200, body: queued }));
    const { endpoint } = application([provideHttpClient(withInterceptors([mock]))]);
    expect(await firstValueFrom(endpoint.run(request))).toMatchObject({ id: 'job-1' });
    expect(sendings).toEqual([]);
  });

  it('shows interceptors that it was sent, and that it may not come from the cache of hydration', async () => {
    stubFetch(() => json(queued));
    const events: unknown[] = [];
    const watch: HttpInterceptorFn = (given, next) => {
      expect(given.transferCache).toBe(false);
      return next(given).pipe(tap(({ type }) => events.push(HttpEventType[type])));
    };
    const { endpoint } = application([provideHttpClient(withInterceptors([watch]))]);
    await firstValueFrom(endpoint.status('job-1'));
    expect(events).toEqual(['Sent', 'Response']);
  });

  it('S33 keeps nobody waiting for the application to be stable', async () => {
    const tasks: unknown[] = [];
    stubFetch(() => new Promise(() => {}));
    const { endpoint } = application([
      provideHttpClient(withInterceptors([(given, next) => (tasks.push(inject(PendingTasks)), next(given))])),
    ]);
    endpoint.status('job-1').subscribe({ error: () => {} });
    expect(tasks).toHaveLength(1);
    await TestBed.inject(ApplicationRef).whenStable();
  });

  it('sends by fetch without provideHttpClient(), and with withFetch()', async () => {
    const sendings = stubFetch(() => json(queued));
    await firstValueFrom(application([]).endpoint.run(request));
    TestBed.resetTestingModule();
    const fetching = application([provideHttpClient(withInterceptors([authorize]))], withFetch());
    await firstValueFrom(fetching.endpoint.run(request));
    expect(sendings.map(({ init }) => init.credentials)).toEqual(['same-origin', 'same-origin']);
    expect(sendings[1]!.init.headers).not.toHaveProperty('x-tenant');
  });

  it('answers to HttpTestingController, also after the injector is gone', async () => {
    const sendings = stubFetch(() => json({}));
    TestBed.configureTestingModule({
      providers: [
        provideZonelessChangeDetection(),
        { provide: TENANT, useValue: 'acme' },
        provideHttpClient(withInterceptors([authorize])),
        provideHttpClientTesting(),
        provideRunpod(),
      ],
    });
    const endpoint = TestBed.runInInjectionContext(() => injectEndpoint<{ a: number }>('e'));
    const http = TestBed.inject(HttpTestingController);
    const job = endpoint.job(request);
    job.output$.subscribe({ error: () => {} });
    http.expectOne('/api/runpod/e/run').flush(queued);
    await firstValueFrom(job.id$);
    TestBed.resetTestingModule();
    await patiently(() => {
      const [cancel] = http.match('/api/runpod/e/cancel/job-1');
      expect(cancel?.request.headers.get('X-Tenant')).toBe('acme');
      cancel?.flush(cancelled);
    });
    expect(sendings).toEqual([]);
  });
});

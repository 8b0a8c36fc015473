import 'reflect-metadata';
import { Injectable, Logger, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { delay as later, firstValueFrom, of, Subject, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRunpod, Runpod, type Endpoint } from 'runpod-rx';
import {
  getEndpointToken,
  getRunpodToken,
  InjectEndpoint,
  InjectRunpod,
  InjectWebhooks,
  RunpodModule,
  type AsyncEndpointFeature,
  type RunpodModuleOptions,
  type RunpodOptionsFactory,
} from 'runpod-rx/nestjs';
import type { Webhooks } from 'runpod-rx/server';
import { createEmulator } from 'runpod-rx/testing';
import { emulated, KEY, statuses } from './support.js';

@Injectable()
class Painter {
  constructor(
    @InjectRunpod() readonly client: Runpod,
    @InjectEndpoint('painter') readonly endpoint: Endpoint<{ prompt: string }>,
    @InjectWebhooks() readonly webhooks: Webhooks | undefined,
  ) {}
}

const feature = RunpodModule.forFeature([{ name: 'painter', id: 'demo' }]);

async function application(root: ReturnType<typeof RunpodModule.forRoot>, features = feature) {
  const module = await Test.createTestingModule({ imports: [root, features], providers: [Painter] }).compile();
  Logger.overrideLogger(false);
  onTestFinished(() => module.close());
  return module;
}

const local = () => ({ apiKey: KEY, transport: emulated().transport });

describe('injects', () => {
  test('the client, and an endpoint by its name', async () => {
    const module = await application(RunpodModule.forRoot(local()));
    const { client, endpoint, webhooks } = module.get(Painter);
    expect(client).toBeInstanceOf(Runpod);
    expect(endpoint.id).toBe('demo');
    expect(webhooks).toBeUndefined();
    expect(await firstValueFrom(endpoint.job({ input: { prompt: 'a' } }).output$)).toEqual({ echo: { prompt: 'a' } });
  });

  test('the client by its class, for applications with the metadata of decorators', async () => {
    const module = await application(RunpodModule.forRoot(local()));
    expect(module.get(Runpod)).toBe(module.get(getRunpodToken()));
  });

  test('endpoints of several modules, of one client', async () => {
    @Module({ imports: [RunpodModule.forFeature(['first', { id: 'second' }])], exports: [RunpodModule] })
    class Other {}
    const module = await Test.createTestingModule({
      imports: [RunpodModule.forRoot(local()), feature, Other],
      providers: [Painter],
    }).compile();
    onTestFinished(() => module.close());
    const ids = ['painter', 'first', 'second'].map((name) => {
      return module.get<Endpoint>(getEndpointToken(name), { strict: false }).id;
    });
    expect(ids).toEqual(['demo', 'first', 'second']);
  });

  test('an endpoint with its options', async () => {
    const parse = (text: string) => ({ ...(JSON.parse(text) as object), output: 'parsed' });
    const module = await application(
      RunpodModule.forRoot(local()),
      RunpodModule.forFeature([{ name: 'painter', id: 'demo', parse }]),
    );
    const { endpoint } = module.get(Painter);
    expect(await firstValueFrom(endpoint.job({ input: { prompt: 'a' } }).output$)).toBe('parsed');
  });

  test.each<[string, Omit<AsyncEndpointFeature, 'name'>]>([
    ['an id', { useFactory: () => 'demo' }],
    ['a promise', { useFactory: () => Promise.resolve({ id: 'demo' }) }],
    ['what it injects', { inject: [getRunpodToken()], useFactory: (client: Runpod) => (client ? 'demo' : '') }],
  ])('an endpoint from a factory: %s', async (_, made) => {
    const root = RunpodModule.forRoot(local());
    const module = await application(root, RunpodModule.forFeatureAsync([{ name: 'painter', ...made }]));
    expect(module.get(Painter).endpoint.id).toBe('demo');
  });
});

describe('options', () => {
  class Config implements RunpodOptionsFactory {
    createRunpodOptions = () => Promise.resolve(local());
  }

  test.each([
    ['useFactory', { useFactory: local }],
    ['useClass', { useClass: Config }],
  ])('from elsewhere, by %s', async (_, options) => {
    const module = await application(RunpodModule.forRootAsync(options));
    expect(await firstValueFrom(module.get(Painter).endpoint.health())).toMatchObject({ jobs: {} });
  });

  test('that are inherited count, and so do getters of a class', async () => {
    const links: string[] = [];
    class Settings {
      get apiKey() {
        return KEY;
      }
      get transport() {
        return emulated().transport;
      }
      get links() {
        return [(request: never, next: (given: never) => never) => (links.push('asked'), next(request))];
      }
    }
    const module = await application(RunpodModule.forRoot(new Settings() as unknown as RunpodModuleOptions));
    await firstValueFrom(module.get(Painter).endpoint.health());
    expect(links).toEqual(['asked']);
  });

  test.each([
    [{ apiKy: 'x' }, /apiKy .*unknown.*apiKey/],
    [{ webhooks: { url: 'https://example.com/hooks', secret: 'short' } }, /secret/],
    [{ webhooks: { url: 'https://example.com/', secret: 'x'.repeat(32) } }, /webhookPath/],
    [{ proxy: { endpoints: {}, user: () => 'ann', basePath: '' } }, /proxy\.basePath/],
    [{ closeTimeout: '8 s' }, /closeTimeout/],
  ])('that cannot work keep the application from starting: %j', async (options, message) => {
    const root = RunpodModule.forRoot({ ...local(), ...options } as RunpodModuleOptions);
    await expect(Test.createTestingModule({ imports: [root] }).compile()).rejects.toThrow(message);
  });

  test('notices of the application’s own are heard beside those of webhooks', async () => {
    const notices = new Subject<unknown>();
    const webhooks = { url: 'https://example.com/hooks', secret: 'x'.repeat(32) };
    const module = await application(RunpodModule.forRoot({ ...local(), notices, webhooks }));
    const { endpoint, webhooks: receiver } = module.get(Painter);
    const watching = endpoint.job({ input: { prompt: 'a' } }).state$.subscribe();
    await vi.waitUntil(() => notices.observed, 100_000);
    expect(receiver!.sign({ input: { prompt: 'a' } }, 'key').webhook).toContain('https://example.com/hooks?');
    watching.unsubscribe();
  });
});

describe('an endpoint that is not there, such as a variable of the environment that is not set', () => {
  test.each([
    [[undefined], 'endpoints[0] is undefined: it must be the id of an endpoint, or an object with its id and options'],
    [['painter', null], 'endpoints[1] is null: it must be the id of an endpoint, or an object with its id and options'],
    ['painter', 'endpoints is painter: it must be a list of ids and of objects with ids'],
    [[''], 'endpoints[0] is empty: it must consist of letters, digits, "-" and "_"'],
    [[{ name: 'painter' }], 'endpoints[0].id is undefined: it must consist of letters, digits, "-" and "_"'],
  ])('is refused by forFeature: %j', (endpoints, message) => {
    expect(() => RunpodModule.forFeature(endpoints as never)).toThrow(
      expect.objectContaining({ code: 'configuration', message }) as Error,
    );
  });

  test.each([
    [
      undefined,
      'the endpoint painter is undefined: it must be the id of an endpoint, or an object with its id and options',
    ],
    ['', 'the endpoint painter is empty: it must consist of letters, digits, "-" and "_"'],
    [{ id: undefined }, 'the endpoint painter.id is undefined: it must consist of letters, digits, "-" and "_"'],
  ])('keeps the application from starting, with forFeatureAsync: %j', async (settings, message) => {
    // The endpoint of another use, which must not be taken instead.
    vi.stubEnv('ENDPOINT_ID', 'demo');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const features = RunpodModule.forFeatureAsync([{ name: 'painter', useFactory: () => settings as never }]);
    await expect(application(RunpodModule.forRoot(local()), features)).rejects.toMatchObject({
      code: 'configuration',
      message,
    });
  });
});

describe('when the module is destroyed', () => {
  const closing = async (options: Partial<RunpodModuleOptions> = {}) => {
    const module = await application(RunpodModule.forRoot({ ...local(), ...options }));
    const warn = vi.fn();
    Logger.overrideLogger({ warn, log: () => 0, error: () => 0 });
    onTestFinished(() => Logger.overrideLogger(false));
    return { module, warn, endpoint: module.get(Painter).endpoint as Endpoint };
  };

  test('its client closes, once the cancels are confirmed', async () => {
    const emulator = emulated();
    const { module, warn, endpoint } = await closing({ transport: emulator.transport });
    const view = endpoint.job({ input: { forever: true } }).state$.subscribe({ error: () => undefined });
    await vi.waitUntil(() => statuses(emulator).includes('IN_PROGRESS'), 100_000);
    await module.close();
    expect(view.closed).toBe(true);
    expect(statuses(emulator)).toEqual(['CANCELLED']);
    expect(warn).not.toHaveBeenCalled();
  });

  test('a cancel that is not confirmed in time is logged, and waited for no longer', async () => {
    const emulator = emulated({ faults: [{ fault: 'no-answer', on: 'cancel' }] });
    const { module, warn, endpoint } = await closing({ transport: emulator.transport, closeTimeout: 50 });
    endpoint.job({ input: { forever: true } }).state$.subscribe({ error: () => undefined });
    await vi.waitUntil(() => statuses(emulator).includes('IN_PROGRESS'), 100_000);
    await module.close();
    expect(warn.mock.calls.flat().join(' ')).toContain('after 50 ms, not every cancel is confirmed');
  });

  test('jobs whose cancel failed, and submissions that were lost, are logged', async () => {
    const report = { cancelled: [], finished: [], abandoned: [{ id: 'job-7' }], lost: [{}, {}] };
    const close = () => of(report).pipe(later(0));
    const module = await Test.createTestingModule({ imports: [RunpodModule.forRoot(local())] })
      .overrideProvider(getRunpodToken())
      .useValue({ close })
      .compile();
    const warn = vi.fn();
    Logger.overrideLogger({ warn, log: () => 0, error: () => 0 });
    onTestFinished(() => Logger.overrideLogger(false));
    await module.close();
    expect(warn.mock.calls.map(([text]) => String(text))).toEqual([
      expect.stringContaining('job-7'),
      expect.stringContaining('2 submissions'),
    ]);
  });
});

test('a job of an hour takes no time in a testing module with the emulator inside', async () => {
  const scheduler = new VirtualTimeScheduler();
  const emulator = createEmulator({ scheduler, endpoints: { demo: { handler: (_, { delay }) => delay(3_600_000) } } });
  const module = await Test.createTestingModule({
    imports: [RunpodModule.forRoot({ apiKey: 'key-of-production' }), feature],
    providers: [Painter],
  })
    .overrideProvider(getRunpodToken())
    .useValue(createRunpod({ transport: emulator.transport, scheduler, apiKey: 'test' }))
    .compile();
  onTestFinished(() => module.close());
  let hasEnded = false;
  // RunPod itself ends a job after ten minutes, unless it is told otherwise.
  const request = { input: { prompt: 'a' }, policy: { executionTimeout: 7_200_000 } };
  const { output$ } = module.get(Painter).endpoint.job(request);
  output$.subscribe({ complete: () => (hasEnded = true) });
  scheduler.flush();
  expect(hasEnded).toBe(true);
  expect(scheduler.now()).toBeGreaterThanOrEqual(3_600_000);
  expect(statuses(emulator)).toEqual(['COMPLETED']);
});

import { ConfigurableModuleBuilder, Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import { invalidOptions } from '../errors/invalidOptions.js';
import { Runpod } from '../index.js';
import { mustBe, record, type Check } from '../protocol/checkOptions.js';
import { checkId } from '../protocol/checks.js';
import type { Webhooks } from '../server/index.js';
import { createClient, createReceiver, handlersOf } from './moduleServices.js';
import { mountHandlers } from './mountHandlers.js';
import { RunpodExceptionFilter } from './RunpodExceptionFilter.js';
import { RunpodLifecycle } from './RunpodLifecycle.js';
import type {
  AsyncEndpointFeature,
  EndpointFeature,
  EndpointSettings,
  RunpodModuleAsyncOptions,
  RunpodModuleExtras,
  RunpodModuleOptions,
} from './RunpodModuleOptions.js';
import { getEndpointToken, getRunpodToken, getWebhooksToken } from './tokens.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<RunpodModuleOptions>({
  moduleName: 'Runpod',
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createRunpodOptions')
  .setExtras<RunpodModuleExtras>({ exceptionFilter: true }, (definition, { exceptionFilter = true }) => ({
    ...definition,
    global: true,
    providers: [...(definition.providers ?? []), ...PROVIDERS, ...(exceptionFilter ? [FILTER] : [])],
    exports: [getRunpodToken(), Runpod, getWebhooksToken()],
  }))
  .build();

const FILTER: Provider = { provide: APP_FILTER, useClass: RunpodExceptionFilter };

const PROVIDERS: readonly Provider[] = [
  { provide: getWebhooksToken(), useFactory: createReceiver, inject: [MODULE_OPTIONS_TOKEN] },
  { provide: getRunpodToken(), useFactory: createClient, inject: [MODULE_OPTIONS_TOKEN, getWebhooksToken()] },
  // For applications that are compiled with the metadata of decorators.
  { provide: Runpod, useExisting: getRunpodToken() },
  {
    provide: RunpodLifecycle,
    useFactory: (
      options: RunpodModuleOptions,
      client: Runpod,
      webhooks: Webhooks | undefined,
      host: HttpAdapterHost | undefined,
    ) => {
      mountHandlers(host, handlersOf(options, client, webhooks));
      return new RunpodLifecycle(client, options.closeTimeout);
    },
    inject: [MODULE_OPTIONS_TOKEN, getRunpodToken(), getWebhooksToken(), { token: HttpAdapterHost, optional: true }],
  },
];

/**
 * A client and its endpoints for Nest's dependency injection.
 *
 * ```ts
 * @Module({
 *   imports: [RunpodModule.forRoot({ apiKey: process.env.RUNPOD_API_KEY }), RunpodModule.forFeature(['my-endpoint'])],
 *   controllers: [PaintController],
 * })
 * export class AppModule {}
 * ```
 *
 * When the application closes, so does the client, before Nest waits for open connections: jobs that nobody waits for any
 * more are cancelled, event streams end, and what is called after that errors with `client_closed`, accepted 'no', which
 * `RunpodExceptionFilter` answers with 503. Call `app.enableShutdownHooks()`, so that Nest closes the application on a signal.
 */
export class RunpodModule extends ConfigurableModuleClass {
  /**
   * The module with a client, for the whole application. Import it once, where the application begins.
   *
   * The application does not start with options that cannot work: `ConfigurationError`.
   */
  static override forRoot(options: RunpodModuleOptions & RunpodModuleExtras): DynamicModule {
    // Nest would copy the options, and lose what an object of a class inherits.
    return super.forRootAsync({ useFactory: () => options, exceptionFilter: options.exceptionFilter });
  }

  /**
   * {@link RunpodModule.forRoot} with options that come from elsewhere, such as Nest's `ConfigService`.
   *
   * ```ts
   * RunpodModule.forRootAsync({
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ apiKey: config.getOrThrow('RUNPOD_API_KEY') }),
   * });
   * ```
   */
  static override forRootAsync(options: RunpodModuleAsyncOptions): DynamicModule {
    return super.forRootAsync(options);
  }

  /**
   * Endpoints for one module, by their ids, or with options and a name of their own.
   *
   * ```ts
   * RunpodModule.forFeature(['my-endpoint', { name: 'painter', id: process.env.PAINTER_ID, output: paintingSchema }]);
   * ```
   */
  static forFeature(endpoints: readonly (string | EndpointFeature)[]): DynamicModule {
    return featureModule(
      checkedList(endpoints).map((given, index) => {
        assertSettings('forFeature', given, `endpoints[${index}]`);
        const feature: EndpointFeature = typeof given === 'string' ? { id: given } : given;
        return { name: feature.name ?? feature.id ?? '', useFactory: () => feature };
      }),
    );
  }

  /**
   * {@link RunpodModule.forFeature} with ids or options that come from elsewhere.
   *
   * ```ts
   * RunpodModule.forFeatureAsync([
   *   { name: 'painter', inject: [ConfigService], useFactory: (config: ConfigService) => config.getOrThrow('PAINTER_ID') },
   * ]);
   * ```
   */
  static forFeatureAsync(endpoints: readonly AsyncEndpointFeature[]): DynamicModule {
    return featureModule(endpoints);
  }
}

const isSettings = mustBe(
  'the id of an endpoint, or an object with its id and options',
  (settings) => typeof settings === 'string' || record(settings, '').length === 0,
);

/**
 * A variable of the environment that is not set is an id that is `undefined`, or empty. It is refused here: the client would
 * take the endpoint of `ENDPOINT_ID` for it, or each call would fail.
 */
const checkSettings: Check = (settings, field) => {
  const issues = isSettings(settings, field);
  if (issues.length) return issues;
  if (typeof settings === 'string') return checkId(field, settings);
  return checkId(`${field}.id`, (settings as EndpointFeature).id);
};

function assertSettings(operation: string, settings: unknown, field: string): void {
  const issues = checkSettings(settings, field);
  if (issues.length) throw invalidOptions(operation, issues);
}

function checkedList<T>(endpoints: readonly T[]): readonly T[] {
  const issues = mustBe('a list of ids and of objects with ids', Array.isArray)(endpoints, 'endpoints');
  if (issues.length) throw invalidOptions('forFeature', issues);
  return endpoints;
}

function featureModule(features: readonly AsyncEndpointFeature[]): DynamicModule {
  const providers = features.map(({ name, inject = [], useFactory }) => ({
    provide: getEndpointToken(name),
    inject: [getRunpodToken(), ...inject],
    useFactory: async (client: Runpod, ...dependencies: unknown[]) => {
      const settings: EndpointSettings = await useFactory(...dependencies);
      assertSettings('forFeatureAsync', settings, `the endpoint ${name}`);
      if (typeof settings === 'string') return client.endpoint(settings);
      const { id, name: _, ...options } = settings as EndpointFeature;
      return client.endpoint(id, options);
    },
  }));
  const imports = features.flatMap((feature) => feature.imports ?? []);
  return { module: RunpodModule, imports, providers, exports: providers.map(({ provide }) => provide) };
}

Module({})(RunpodModule);

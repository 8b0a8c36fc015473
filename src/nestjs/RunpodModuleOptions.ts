import type { ConfigurableModuleAsyncOptions, FactoryProvider, ModuleMetadata } from '@nestjs/common';
import type { ClientOptions, EndpointOptions, RunpodOptions } from '../index.js';
import type { ProxyOptions, WebhooksOptions } from '../server/index.js';

/** What the module adds to the options of its client. */
export interface RunpodModuleServices {
  /**
   * Receives the webhooks of RunPod at the path of its `url`, in front of the application's parsers of bodies and its routes:
   * their limits, guards and global prefix do not concern it. The client is told of every end that comes. Inject it by
   * `@InjectWebhooks()` to sign requests.
   * @defaultValue none
   */
  readonly webhooks?: WebhooksOptions;
  /**
   * The path at which webhooks reach the application, where a gateway in front of it changes the path of the URL.
   * @defaultValue the path of `webhooks.url`
   */
  readonly webhookPath?: string;
  /**
   * Lets pages use endpoints without a key, at its `basePath`, as `createProxy` of `runpod-rx/server` does. Like webhooks, it
   * stands in front of the application's routes. Its client is the module's.
   * @defaultValue none
   */
  readonly proxy?: Omit<ProxyOptions, 'client'>;
  /**
   * How long the application's shutdown waits until RunPod has confirmed the cancels of the jobs that nobody waits for any
   * more, in milliseconds. What is not confirmed by then is logged, and goes on as long as the process does.
   * @defaultValue 8000: Docker kills a process 10 s after its signal
   */
  readonly closeTimeout?: number;
}

/** Options of `RunpodModule.forRoot`: those of `runpod()`, or with a `transport` those of `createRunpod()`, and the module's own. */
export type RunpodModuleOptions = (ClientOptions | RunpodOptions) & RunpodModuleServices;

/** What decides how the module is made, and cannot come from a factory. */
export interface RunpodModuleExtras {
  /**
   * Whether `RunpodExceptionFilter` answers for the errors of this library in the whole application.
   * @defaultValue true
   */
  readonly exceptionFilter?: boolean;
}

/** Makes the module's options, for `useClass` and `useExisting` of {@link RunpodModuleAsyncOptions}. */
export interface RunpodOptionsFactory {
  /** Called once. */
  createRunpodOptions(): RunpodModuleOptions | Promise<RunpodModuleOptions>;
}

/** Options of `RunpodModule.forRootAsync`: `useFactory` with `inject`, `useClass` or `useExisting`, and `imports`. */
export type RunpodModuleAsyncOptions = ConfigurableModuleAsyncOptions<RunpodModuleOptions, 'createRunpodOptions'> &
  RunpodModuleExtras;

/** An endpoint for `RunpodModule.forFeature`. */
export interface EndpointFeature extends EndpointOptions<object, unknown, unknown> {
  /** The endpoint's id. */
  readonly id: string | undefined;
  /**
   * The name by which it is injected. Ids differ from one environment to the next; a name need not.
   * @defaultValue the id
   */
  readonly name?: string;
}

/** An endpoint for `RunpodModule.forFeatureAsync`. */
export interface AsyncEndpointFeature
  extends Pick<ModuleMetadata, 'imports'>, Pick<FactoryProvider<EndpointSettings>, 'inject' | 'useFactory'> {
  /** The name by which it is injected. */
  readonly name: string;
}

/** What the factory of an {@link AsyncEndpointFeature} gives: the endpoint's id, or its id and options. */
export type EndpointSettings = string | Omit<EndpointFeature, 'name'>;

import type { ClientOptions, Transport } from '../index.js';

/** Options of {@link provideRunpod}: those of a client, with defaults for a page that talks to its own server. */
export interface RunpodProviderOptions extends Omit<ClientOptions, 'transport' | 'apiKey'> {
  /**
   * Where the proxy is (`createProxy` of `runpod-rx/server`). May be relative, also where the application is rendered on a
   * server: it is then completed by the URL of the page.
   * @defaultValue `'/api/runpod'`
   */
  readonly baseUrl?: string;
  /**
   * The API key. A page must not have one, since every visitor could read it: with a proxy none is needed.
   * @defaultValue none; the environment is not asked
   */
  readonly apiKey?: ClientOptions['apiKey'];
  /**
   * Sends the requests.
   * @defaultValue `httpClientTransport()`
   */
  readonly transport?: Transport;
  /**
   * Allows an API key in a page.
   * @defaultValue false
   */
  readonly allowBrowser?: boolean;
}

/** What a page does about its jobs when it is closed, reloaded or left: apply each job's policy, or nothing. */
export type PageHidePolicy = 'cancel' | 'nothing';

/** What the features of {@link provideRunpod} say. */
export interface RunpodFeatureSettings {
  readonly fetch?: boolean;
  readonly pageHide?: PageHidePolicy;
  readonly serverJobs?: boolean;
  readonly events?: true | string;
}

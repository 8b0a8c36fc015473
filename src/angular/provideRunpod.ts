import { EnvironmentInjector, inject, makeEnvironmentProviders, type EnvironmentProviders } from '@angular/core';
import type { PageHidePolicy, RunpodFeatureSettings, RunpodProviderOptions } from './RunpodProviderOptions.js';
import { RUNPOD_SLOT, type RunpodSlot } from './RunpodSlot.js';

/** A feature of {@link provideRunpod}. */
export interface RunpodFeature {
  /** @internal */
  readonly settings: RunpodFeatureSettings;
}

/**
 * Configures the client of an application, or of a route's injector. Holds the configuration and nothing else: the client
 * itself is loaded with the first component that injects it, and made then.
 *
 * ```ts
 * bootstrapApplication(App, { providers: [provideHttpClient(), provideRunpod({ baseUrl: '/api/runpod' })] });
 * ```
 *
 * The client is closed when the injector is destroyed. Each job's policy is then applied, and the cancels go on after that.
 *
 * @param options - the options, or a function that gives them; the function runs when the client is made, and may `inject`
 * @param features - `withFetch()`, `withEvents()`, `withPageHide()`, `withServerJobs()`
 */
export function provideRunpod(
  options: RunpodProviderOptions | (() => RunpodProviderOptions) = {},
  ...features: readonly RunpodFeature[]
): EnvironmentProviders {
  let settings: RunpodFeatureSettings = {};
  for (const feature of features) settings = { ...settings, ...feature.settings };
  const useFactory = (): RunpodSlot => ({ injector: inject(EnvironmentInjector), options, features: settings });
  return makeEnvironmentProviders([{ provide: RUNPOD_SLOT, useFactory }]);
}

/** Sends by the browser's `fetch`, past Angular's `HttpClient` and its interceptors. */
export function withFetch(): RunpodFeature {
  return { settings: { fetch: true } };
}

/**
 * Has the server push what happens to the jobs (`createProxy({ events: true })`), so that the page reads nothing while it is
 * connected. Without effect on a server. The connection sends the user's cookies, and no headers of interceptors.
 *
 * @param url - where the events are; by default `events` below the base URL
 */
export function withEvents(url?: string): RunpodFeature {
  return { settings: { events: url ?? true } };
}

/**
 * What a page does about its jobs when it is closed, reloaded or left: `'cancel'`, the default, applies each job's policy
 * (`onUnsubscribe`); with `'nothing'` they run on. A page that the browser keeps for going back to it keeps its jobs.
 */
export function withPageHide(policy: PageHidePolicy): RunpodFeature {
  return { settings: { pageHide: policy } };
}

/**
 * Lets every part of the application submit jobs while it is rendered on a server. Without it only a `jobResource` with
 * `server: 'run'` does: a job that a server submits is paid for each page view, and mostly once more by the page. Prerendering
 * never submits.
 */
export function withServerJobs(): RunpodFeature {
  return { settings: { serverJobs: true } };
}

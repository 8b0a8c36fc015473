import { NgZone, assertInInjectionContext, inject, runInInjectionContext } from '@angular/core';
import { ConfigurationError, type Endpoint, type EndpointOptions, type Runpod } from '../index.js';
import { createClient } from './createClient.js';
import { RUNPOD_SLOT } from './RunpodSlot.js';
import { inZone } from './zone.js';

/**
 * The client of the nearest {@link provideRunpod}. It is made by the first call, is the same from then on, and is closed when
 * the injector of its `provideRunpod` is destroyed.
 *
 * In an application with zone.js, its timers and requests run outside of Angular's zone, and what it emits comes inside.
 *
 * Throws `ConfigurationError` where there is no `provideRunpod`, or where its options cannot work.
 */
export function injectRunpod(): Runpod {
  assertInInjectionContext(injectRunpod);
  const slot = inject(RUNPOD_SLOT, { optional: true });
  if (!slot) {
    const why = 'there is no client: add provideRunpod() to the providers of the application';
    throw new ConfigurationError(why, { operation: 'injectRunpod' });
  }
  slot.client ??= runInInjectionContext(slot.injector, () => inZone(createClient(slot), inject(NgZone)));
  return slot.client;
}

/**
 * An endpoint of the client of the nearest {@link provideRunpod}.
 *
 * ```ts
 * readonly #endpoint = injectEndpoint<{ prompt: string }, { text: string }>('my-endpoint');
 * ```
 */
export function injectEndpoint<I extends object = Record<string, unknown>, O = unknown, C = unknown>(
  id: string,
  options?: EndpointOptions<I, O, C>,
): Endpoint<I, O, C> {
  assertInInjectionContext(injectEndpoint);
  return injectRunpod().endpoint<I, O, C>(id, options);
}

import { Inject } from '@nestjs/common';

/** Where a token is injected: a parameter of a constructor, or a property. */
export type InjectDecorator = ParameterDecorator & PropertyDecorator;

/** The token of the client, to override it in tests, or to inject it in a factory. */
export function getRunpodToken(): string {
  return 'runpod-rx:client';
}

/** The token of an endpoint of `RunpodModule.forFeature`, by its name: its id, unless it was given another. */
export function getEndpointToken(name: string): string {
  return `runpod-rx:endpoint:${name}`;
}

/** The token of the receiver of webhooks. */
export function getWebhooksToken(): string {
  return 'runpod-rx:webhooks';
}

/**
 * Injects the `Runpod` of `RunpodModule.forRoot`.
 *
 * ```ts
 * constructor(@InjectRunpod() private readonly client: Runpod) {}
 * ```
 */
export function InjectRunpod(): InjectDecorator {
  return Inject(getRunpodToken());
}

/**
 * Injects an `Endpoint` of `RunpodModule.forFeature`.
 *
 * ```ts
 * constructor(@InjectEndpoint('my-endpoint') private readonly endpoint: Endpoint<Input, Output>) {}
 * ```
 *
 * @param name - the endpoint's id, or the `name` that `forFeature` gave it
 */
export function InjectEndpoint(name: string): InjectDecorator {
  return Inject(getEndpointToken(name));
}

/** Injects the `Webhooks` of the option `webhooks` of `RunpodModule.forRoot`; without that option, `undefined`. */
export function InjectWebhooks(): InjectDecorator {
  return Inject(getWebhooksToken());
}

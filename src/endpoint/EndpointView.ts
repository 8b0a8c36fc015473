import type { EndpointContext } from './EndpointContext.js';
import type { EndpointOptions } from './EndpointOptions.js';

/** An endpoint as one `Endpoint` object sees it. */
export interface EndpointView<I extends object, O, C> {
  /** What all objects of the same endpoint share. */
  readonly context: EndpointContext;
  /** The schemas of this object. */
  readonly options: EndpointOptions<I, O, C>;
}

import type { EmulatedEndpoint } from '../testing/index.js';

/** Endpoints by id. */
export type Endpoints = Readonly<Record<string, EmulatedEndpoint>>;

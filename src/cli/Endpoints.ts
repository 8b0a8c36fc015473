import type { EmulatedEndpoint } from '../emulator/index.js';

/** Endpoints by id. */
export type Endpoints = Readonly<Record<string, EmulatedEndpoint>>;

import { assertEndpoint } from '../emulator/checkOptions.js';
import type { EmulatedEndpoint, JobHandler } from '../emulator/index.js';
import type { Endpoints } from './Endpoints.js';

const RULE = 'export as default a handler, or an object of endpoints by id';

/** The endpoints that a module exports. Throws a `TypeError` that says what the module must export. */
export function endpointsOf(module: unknown, endpointId: string): Endpoints {
  const exported: unknown = isObject(module) ? module.default : undefined;
  if (isHandler(exported)) return { [endpointId]: { handler: exported } };
  if (!isObject(exported) || Object.keys(exported).length === 0) throw new TypeError(RULE);
  return Object.fromEntries(Object.entries(exported).map(([id, value]) => [id, endpointOf(id, value)]));
}

function endpointOf(id: string, value: unknown): EmulatedEndpoint {
  if (!/^[A-Za-z0-9_-]+$/.test(id)) throw new TypeError(`"${id}" is no endpoint id: letters, digits, - and _ only`);
  if (isHandler(value)) return { handler: value };
  if (isObject(value) && (value.handler === undefined || isHandler(value.handler))) {
    assertEndpoint(value, id);
    return value;
  }
  throw new TypeError(`"${id}" must be a handler, or an object with one as \`handler\``);
}

function isHandler(value: unknown): value is JobHandler {
  return typeof value === 'function';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

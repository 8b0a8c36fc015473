import { exceeds } from '../model/bytes.js';
import { empty, json, type Answer } from '../model/answers.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import type { FaultControl } from '../faults/FaultControl.js';
import { readFaults } from '../faults/readFaults.js';
import type { FaultRule } from '../faults/FaultRule.js';

/** The parts of an emulator that the control routes read and change. */
export interface Inspected {
  readonly faults: FaultControl;
  state(): unknown;
  jobs(): unknown;
  requests(): unknown;
}

const PREFIX = '/__emulator/';

/** Largest body of a request that adds faults, in bytes. */
const MAX_BODY = 1024 * 1024;

/** Whether a request is for the emulator itself and not for the emulated service. */
export function isControl({ url }: EmulatorRequest): boolean {
  return url.includes(PREFIX) && new URL(url, 'http://localhost').pathname.startsWith(PREFIX);
}

/**
 * Answers the control routes, which let tests in any language inspect the emulator. `GET state`, `jobs`, `requests` and
 * `faults` read; `POST faults` adds rules, `PUT faults` replaces all rules, `DELETE faults` and `DELETE faults/{id}` remove
 * rules. Control requests do not appear in the ledger, need no key, and are not struck by faults.
 */
export function control(request: EmulatorRequest, emulator: Inspected): Answer {
  const { pathname } = new URL(request.url, 'http://localhost');
  const [subject = '', id, ...rest] = pathname.slice(PREFIX.length).split('/');
  if (rest.length > 0 || (id !== undefined && subject !== 'faults')) return unknown();
  switch (subject) {
    case 'state':
    case 'jobs':
    case 'requests':
      return request.method === 'GET' ? json(200, emulator[subject]()) : notAllowed('GET');
    case 'faults':
      return id === undefined ? allFaults(request, emulator.faults) : oneFault(request, id, emulator.faults);
    default:
      return unknown();
  }
}

function allFaults(request: EmulatorRequest, faults: FaultControl): Answer {
  const { method } = request;
  if (method === 'POST' || method === 'PUT') {
    const rules = rulesIn(request);
    if (typeof rules === 'string') return json(400, { error: rules });
    if (method === 'PUT') faults.clear();
    faults.add(rules);
  } else if (method === 'DELETE') faults.clear();
  else if (method !== 'GET') return notAllowed('GET, POST, PUT, DELETE');
  return json(200, { faults: faults.list() });
}

function oneFault({ method }: EmulatorRequest, id: string, faults: FaultControl): Answer {
  if (method !== 'DELETE') return notAllowed('DELETE');
  if (faults.remove([Number(id)]) === 0) return json(404, { error: `there is no fault ${id}` });
  return json(200, { faults: faults.list() });
}

/** The rules in a body; the reason as text if it cannot be read. */
function rulesIn({ body = '', size = 0 }: EmulatorRequest): readonly FaultRule[] | string {
  if (size > MAX_BODY || exceeds(body, MAX_BODY)) return 'body: exceeded 1MiB';
  try {
    return readFaults(JSON.parse(body));
  } catch (error) {
    return error instanceof TypeError ? error.message : 'body: invalid json';
  }
}

const unknown = (): Answer => json(404, { error: 'there is state, jobs, requests and faults' });
const notAllowed = (allow: string): Answer => empty(405, { allow });

import { exceeds } from '../model/bytes.js';
import { empty, json, type Answer } from '../model/answers.js';
import type { EmulatorRequest } from '../model/EmulatorRequest.js';
import type { FaultControl } from '../faults/FaultControl.js';
import { readFaults } from '../faults/readFaults.js';
import type { FaultRule } from '../faults/FaultRule.js';

/** What can be asked of an emulator beside the service's own operations. */
export interface Inspected {
  readonly faults: FaultControl;
  state(): unknown;
  jobs(): unknown;
  requests(): unknown;
}

const PREFIX = '/__emulator/';

/** Largest list of faults, in bytes. */
const MAX_BODY = 1024 * 1024;

/** Whether a request is for the emulator itself rather than for the service it stands for. */
export function isControl({ url }: EmulatorRequest): boolean {
  return url.includes(PREFIX) && new URL(url, 'http://localhost').pathname.startsWith(PREFIX);
}

/**
 * Answers what tests in any language ask the emulator itself: `GET state`, `jobs`, `requests` and `faults`; `POST faults`
 * adds, `PUT faults` replaces all, `DELETE faults` and `DELETE faults/{id}` take away. These requests are in no ledger, need no
 * key, and no fault strikes them.
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

/** The rules in a body, or what is wrong with it. */
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

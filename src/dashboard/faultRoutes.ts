import { concatMap, from, last, mergeMap, of, throwError, type Observable } from 'rxjs';
import { fromFetch } from 'rxjs/fetch';
import type { ActiveFault, FaultName } from '../emulator/index.js';
import { ROOT } from './client.js';

const FAULTS = `${ROOT}__emulator/faults`;

/** The active rules after a request. */
export type ActiveFaults = readonly ActiveFault[];

/** Adds a rule. Errors with the emulator's words if the rule cannot be carried out. */
export function addFault(rule: Readonly<Record<string, unknown>>): Observable<ActiveFaults> {
  return ask(FAULTS, { method: 'POST', body: JSON.stringify(rule) });
}

/** Removes a rule. Somebody else may have removed it already. */
export function removeFault(id: number): Observable<ActiveFaults> {
  return ask(`${FAULTS}/${id}`, { method: 'DELETE' });
}

/** Removes the rules of a fault, whoever has added them. */
export function removeFaults(name: FaultName): Observable<ActiveFaults> {
  return ask(FAULTS, {}).pipe(
    mergeMap((faults) => {
      const ids = faults.filter(({ rule }) => rule.fault === name).map(({ id }) => id);
      return from(ids).pipe(concatMap(removeFault), last(null, faults));
    }),
  );
}

/** Removes all rules. */
export function clearFaults(): Observable<ActiveFaults> {
  return ask(FAULTS, { method: 'DELETE' });
}

function ask(url: string, init: RequestInit): Observable<ActiveFaults> {
  const selector = async (response: Response) => ({ status: response.status, text: await response.text() });
  return fromFetch(url, { ...init, selector }).pipe(
    mergeMap(({ status, text }) => {
      if (status === 404 && url !== FAULTS) return ask(FAULTS, {});
      return status === 200 ? of(faultsOf(text)) : throwError(() => new Error(wordsOf(text, status)));
    }),
  );
}

function faultsOf(text: string): ActiveFaults {
  return (JSON.parse(text) as { readonly faults: ActiveFaults }).faults;
}

function wordsOf(text: string, status: number): string {
  try {
    return String((JSON.parse(text) as { readonly error: unknown }).error);
  } catch {
    return `the emulator answered ${status}`;
  }
}

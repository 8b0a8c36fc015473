import { mergeMap, throwError, type Observable } from 'rxjs';
import { fromFetch } from 'rxjs/fetch';
import { ROOT } from './client.js';

const FAULTS = `${ROOT}__emulator/faults`;

/** Adds a rule. Errors with the emulator's words if the rule cannot be carried out. */
export function addFault(rule: Readonly<Record<string, unknown>>): Observable<unknown> {
  return ask(FAULTS, { method: 'POST', body: JSON.stringify(rule) });
}

/** Removes a rule. */
export function removeFault(id: number): Observable<unknown> {
  return ask(`${FAULTS}/${id}`, { method: 'DELETE' });
}

/** Removes all rules. */
export function clearFaults(): Observable<unknown> {
  return ask(FAULTS, { method: 'DELETE' });
}

function ask(url: string, init: RequestInit): Observable<unknown> {
  return fromFetch(url, {
    ...init,
    selector: async (response) => ({ status: response.status, text: await response.text() }),
  }).pipe(
    // A rule that is gone already was removed by somebody else.
    mergeMap(({ status, text }) =>
      status < 400 || status === 404
        ? [text]
        : throwError(() => new Error(wordsOf(text) ?? `the emulator answered ${status}`)),
    ),
  );
}

function wordsOf(text: string): string | undefined {
  try {
    const { error } = JSON.parse(text) as { readonly error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

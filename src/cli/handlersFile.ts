import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  Observable,
  catchError,
  debounceTime,
  defer,
  distinctUntilChanged,
  filter,
  from,
  map,
  of,
  switchMap,
} from 'rxjs';
import type { Endpoints } from './Endpoints.js';
import { endpointsOf } from './endpointsOf.js';
import { stackOf, withoutNode } from './stackOf.js';

/** What became of loading the file: its endpoints, or why there are none. */
export type Loaded = { readonly endpoints: Endpoints } | { readonly error: string };

/** Loads the file, past Node's cache of modules; of what it imports itself, Node keeps what it has. Never errors. */
export function loadHandlers(file: string, endpointId: string): Observable<Loaded> {
  const url = pathToFileURL(resolve(file));
  url.searchParams.set('at', String(Date.now()));
  return defer(() => {
    // eslint-disable-next-line no-restricted-syntax -- users' code, which only they know
    return from(import(url.href) as Promise<unknown>);
  }).pipe(
    map((module): Loaded => ({ endpoints: endpointsOf(module, endpointId) })),
    catchError((error: unknown) => whyNot(error, file).pipe(map((why) => ({ error: why })))),
  );
}

/** Loads the file again each time its text changes. Unsubscribing stops watching. */
export function reloadHandlers(file: string, endpointId: string): Observable<Loaded> {
  return changesOf(file).pipe(
    debounceTime(50),
    switchMap(() => from(readFile(file, 'utf8')).pipe(catchError(() => of(undefined)))),
    // Between the two steps of an editor that replaces the file, it is not there.
    filter((text) => text !== undefined),
    distinctUntilChanged(),
    switchMap(() => loadHandlers(file, endpointId)),
  );
}

/** Watches the folder: editors replace a file, and a watched file that is replaced is watched no more. */
function changesOf(file: string): Observable<void> {
  return new Observable((subscriber) => {
    const watcher = watch(dirname(resolve(file)), (_, name) => {
      if (name === null || name === basename(file)) subscriber.next();
    });
    watcher.on('error', () => subscriber.complete());
    return () => watcher.close();
  });
}

/** Why the file could not be loaded, with the place where that is known. */
function whyNot(error: unknown, file: string): Observable<string> {
  // An error of syntax does not say where it is; Node itself does, when asked to check the file.
  if (error instanceof SyntaxError) return checked(file).pipe(map((place) => place || String(error)));
  return of(describe(error, file));
}

function checked(file: string): Observable<string> {
  return new Observable((subscriber) => {
    const child = execFile(process.execPath, ['--check', file], (_, __, said) => {
      subscriber.next(withoutNode(said));
      subscriber.complete();
    });
    return () => child.kill();
  });
}

function describe(error: unknown, file: string): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException; // it may have one
  if (code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(`'${resolve(file)}`)) return 'there is no such file';
  // The stack of a rule of ours leads through this program, which says nothing of the file.
  return error instanceof TypeError && !error.stack?.includes(resolve(file)) ? error.message : stackOf(error);
}

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

/** The result of loading the file: its endpoints, or the reason why it cannot be used. */
export type Loaded = { readonly endpoints: Endpoints } | { readonly error: string };

/** Loads the file, bypassing Node's module cache. Modules that the file imports stay cached. Never errors. */
export function loadHandlers(file: string, endpointId: string): Observable<Loaded> {
  const url = pathToFileURL(resolve(file));
  url.searchParams.set('at', String(Date.now()));
  return defer(() => {
    // eslint-disable-next-line no-restricted-syntax -- the user's module, known only at run time
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
    // An editor may remove the file and then write it again; in between there is no text.
    filter((text) => text !== undefined),
    distinctUntilChanged(),
    switchMap(() => loadHandlers(file, endpointId)),
  );
}

/** Watches the folder, since a watch on the file itself ends when an editor replaces the file. */
function changesOf(file: string): Observable<void> {
  return new Observable((subscriber) => {
    const watcher = watch(dirname(resolve(file)), (_, name) => {
      if (name === null || name === basename(file)) subscriber.next();
    });
    watcher.on('error', () => subscriber.complete());
    return () => watcher.close();
  });
}

/** The reason why the file could not be loaded, with its place in the file if known. */
function whyNot(error: unknown, file: string): Observable<string> {
  // The SyntaxError of an import does not hold the place of the mistake; `node --check` prints the place.
  if (error instanceof SyntaxError) return checked(file).pipe(map((place) => place || String(error)));
  return of(describe(error, file));
}

function checked(file: string): Observable<string> {
  return new Observable((subscriber) => {
    const child = execFile(process.execPath, ['--check', file], (_, __, stderr) => {
      subscriber.next(withoutNode(stderr));
      subscriber.complete();
    });
    return () => child.kill();
  });
}

function describe(error: unknown, file: string): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException; // errors of Node's module loader have a code
  if (code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(`'${resolve(file)}`)) return 'there is no such file';
  // A TypeError of `endpointsOf` has a stack without the file: show only its message.
  return error instanceof TypeError && !error.stack?.includes(resolve(file)) ? error.message : stackOf(error);
}

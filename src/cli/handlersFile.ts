import { execFile } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  Observable,
  asyncScheduler,
  catchError,
  defer,
  distinctUntilChanged,
  exhaustMap,
  filter,
  from,
  map,
  mergeMap,
  of,
  pairwise,
  skip,
  startWith,
  switchMap,
  timer,
} from 'rxjs';
import type { Endpoints } from './Endpoints.js';
import { endpointsOf } from './endpointsOf.js';
import { stackOf, withoutNode } from './stackOf.js';

/** The result of loading the file: its endpoints, or the reason why it cannot be used. */
export type Loaded =
  | {
      readonly endpoints: Endpoints;
      /** The text of the file, read before it was loaded. */
      readonly text: string | undefined;
    }
  | { readonly error: string };

/** Milliseconds of real time between two looks at the file. */
const LOOK_INTERVAL = 150;

/** How often a file was loaded: each time it gets an address of its own. */
let loads = 0;

/** Loads the file, bypassing Node's module cache. Modules that the file imports stay cached. Never errors. */
export function loadHandlers(file: string, endpointId: string): Observable<Loaded> {
  return defer(() => textOf(file)).pipe(
    mergeMap((text) => from(importAnew(file)).pipe(map((module) => ({ module, text })))),
    map(({ module, text }): Loaded => ({ endpoints: endpointsOf(module, endpointId), text })),
    catchError((error: unknown) => whyNot(error, file).pipe(map((why) => ({ error: why })))),
  );
}

function importAnew(file: string): Promise<unknown> {
  // Node remembers for good where a link led to when it was first imported.
  const url = pathToFileURL(linkedPath(file));
  loads += 1;
  url.searchParams.set('at', String(loads));
  // eslint-disable-next-line no-restricted-syntax -- the user's module, known only at run time
  return import(url.href) as Promise<unknown>;
}

/**
 * Loads the file again each time its text changes. Unsubscribing stops watching.
 *
 * @param loaded - the text of the file when it was loaded last
 */
export function reloadHandlers(file: string, endpointId: string, loaded: string | undefined): Observable<Loaded> {
  return changesOf(file).pipe(
    switchMap(() => textOf(file)),
    // An editor may remove the file and then write it again; in between there is no text.
    filter((text) => text !== undefined),
    startWith(loaded),
    distinctUntilChanged(),
    skip(1),
    switchMap(() => loadHandlers(file, endpointId)),
  );
}

/** The text of the file, or `undefined` if there is none. */
function textOf(file: string): Observable<string | undefined> {
  return from(readFile(file, 'utf8')).pipe(catchError(() => of(undefined)));
}

/**
 * Emits when the path leads to another file or another content than before, and a look later it is still the same. Looking is
 * what works everywhere: where the file or a folder above it is a link or is replaced, and in the folders of containers, of
 * which the system reports no events.
 */
function changesOf(file: string): Observable<unknown> {
  return timer(0, LOOK_INTERVAL, asyncScheduler).pipe(
    exhaustMap(() => from(stateOf(file))),
    pairwise(),
    filter(([before, now]) => before === now),
    map(([, now]) => now),
    distinctUntilChanged(),
  );
}

/** What tells one state of a file from another: which file the path leads to, when it was changed, and its size. */
async function stateOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino, mtimeNs, size } = await stat(file, { bigint: true });
    return [dev, ino, mtimeNs, size].join();
  } catch {
    return undefined;
  }
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
  const paths = [resolve(file), linkedPath(file)];
  if (code === 'ERR_MODULE_NOT_FOUND' && paths.some((path) => error.message.includes(`'${path}`)))
    return 'there is no such file';
  // A TypeError of `endpointsOf` has a stack without the file: show only its message.
  const isOurs = error instanceof TypeError && !paths.some((path) => error.stack?.includes(path));
  return isOurs ? error.message : stackOf(error);
}

/** The path that Node names in errors: that of the file itself where the given path is a link. */
function linkedPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return resolve(file);
  }
}

import { fromEvent, map } from 'rxjs';
import type { Observable } from 'rxjs';
import { stackOf } from './stackOf.js';

/**
 * Emits what was thrown where nobody caught it, such as in a timer of a handler whose job is over. While somebody listens,
 * the process goes on. A rejected promise that nobody waits for comes here as well: that is Node's default.
 */
export function uncaught(process: NodeJS.Process): Observable<string> {
  return fromEvent(process, 'uncaughtException', (error: unknown) => error).pipe(map(stackOf));
}

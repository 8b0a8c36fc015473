import { map, type Observable } from 'rxjs';
import type { HandlerContext, HandlerJob } from 'runpod-rx/emulator';

const WORDS = 'anchor bay beacon berth board boat boatman boatswain book bollard boom bow breeze brine buoy'.split(' ');

/** Finds words by their first letters. Every search takes 1.2 s. */
export function librarian(
  { input }: HandlerJob<{ prefix: string }>,
  { delay }: HandlerContext,
): Observable<readonly string[]> {
  return delay(1200).pipe(map(() => WORDS.filter((word) => word.startsWith(input.prefix))));
}

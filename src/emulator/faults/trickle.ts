import { concat, interval, map, of, take } from 'rxjs';
import type { Observable, SchedulerLike } from 'rxjs';

/** Number of pieces that a text is cut into. */
const PIECES = 10;

/** Emits a text piece by piece, the first at once and the last after `ms` milliseconds. */
export function trickle(text: string, ms: number, scheduler: SchedulerLike): Observable<string> {
  const size = Math.ceil(text.length / PIECES);
  const cut = (index: number): number => (isSecondHalf(text, index * size) ? index * size - 1 : index * size);
  const piece = (index: number): string => text.slice(cut(index), cut(index + 1));
  const rest$ = interval(ms / (PIECES - 1), scheduler).pipe(
    take(PIECES - 1),
    map((index) => piece(index + 1)),
  );
  return concat(of(piece(0)), rest$);
}

/** Whether a cut here would divide a surrogate pair. */
function isSecondHalf(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff;
}

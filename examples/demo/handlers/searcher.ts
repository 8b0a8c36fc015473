import { concatMap, defer, last, map, range, tap, type Observable } from 'rxjs';
import type { HandlerContext, HandlerJob } from 'runpod-rx/emulator';

const SLICE = 10_000;

/** The primes up to a number: how many there are, and the largest. */
export interface Search {
  readonly upTo: number;
  readonly primes: number;
  readonly largest: number;
}

function isPrime(value: number): boolean {
  if (value < 4) return value > 1;
  if (value % 2 === 0) return false;
  for (let divisor = 3; divisor * divisor <= value; divisor += 2) if (value % divisor === 0) return false;
  return true;
}

/** Counts the primes up to a limit, slice by slice; some ten seconds of work for the million of the demo. */
export function searcher(
  { input }: HandlerJob<{ limit: number }>,
  { delay, progress }: HandlerContext,
): Observable<Search> {
  return defer(() => {
    let [primes, largest] = [0, 0];
    return range(0, Math.ceil(input.limit / SLICE)).pipe(
      concatMap((slice) => delay(100).pipe(map(() => slice * SLICE))),
      map((from): Search => {
        const upTo = Math.min(input.limit, from + SLICE);
        for (let value = from + 1; value <= upTo; value++) if (isPrime(value)) [primes, largest] = [primes + 1, value];
        return { upTo, primes, largest };
      }),
      tap((found) => progress(found)),
      last(),
    );
  });
}

import { combineLatest, last, mergeMap, of, tap, type Observable } from 'rxjs';
import type { JobSnapshot } from 'runpod-rx';
import { jobOutput } from 'runpod-rx/operators';
import type { Tile, TileInput } from '../handlers/index.js';
import { picture } from '../picture.js';
import type { Stage } from '../Stage.js';

const TILES = 3;
const ROWS = 16;

/** Three jobs at once, each for a third of a picture, with one progress bar for all three. */
export function paint({ client, screen }: Stage): Observable<unknown> {
  const endpoint = client.endpoint<TileInput, Tile>('painter');
  const tiles = Array.from({ length: TILES }, (_, at) => ({
    width: Math.min(76, screen.width - 4),
    height: TILES * ROWS,
    from: at * ROWS,
    rows: ROWS,
  }));
  return combineLatest(tiles.map((input) => endpoint.job({ input }).state$)).pipe(
    tap((jobs) => {
      const done = jobs.reduce((sum, job) => sum + doneOf(job), 0);
      screen.progress(done / TILES, jobs.map(({ status }) => status.toLowerCase().replace('_', ' ')).join(' · '));
    }),
    last(),
    mergeMap((jobs) => combineLatest(jobs.map((job) => of(job).pipe(jobOutput())))),
    tap((parts) => {
      for (const line of picture(parts.flat(), screen.colour)) screen.line(`    ${line}`);
    }),
  );
}

/** How much of a job is done, from 0 to 1, by its progress updates. */
function doneOf(job: JobSnapshot<Tile>): number {
  if (job.status === 'COMPLETED') return 1;
  if (job.status !== 'IN_PROGRESS' || !job.progress) return 0;
  const { done, of: all } = job.progress as { done: number; of: number };
  return done / all;
}

import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  BehaviorSubject,
  auditTime,
  combineLatest,
  endWith,
  ignoreElements,
  map,
  merge,
  share,
  takeUntil,
  tap,
} from 'rxjs';
import type { Observable } from 'rxjs';
import { isRunpodError, runAll, type EndpointHealth, type PipelineTotals } from 'runpod-rx';
import type { Piece, PieceInput } from '../handlers/index.js';
import { png, type Colour } from '../png.js';
import type { Stage } from '../Stage.js';
import { seconds } from '../words.js';

const WIDTH = 2048;
const HEIGHT = 1536;
const EDGE = 256;

/** The file of the picture, in the folder of the demo's bundle. */
const FILE = fileURLToPath(new URL('fractal.png', import.meta.url));

/** A pipeline that renders a picture of three megapixels in squares. It runs 1.5 jobs for each worker. */
export function render({ client, screen }: Stage): Observable<unknown> {
  const endpoint = client.endpoint<PieceInput, Piece>('renderer');
  const inputs = Array.from({ length: (WIDTH * HEIGHT) / EDGE ** 2 }, (_, nth): PieceInput => {
    const left = (nth * EDGE) % WIDTH;
    return { width: WIDTH, height: HEIGHT, left, top: Math.floor((nth * EDGE) / WIDTH) * EDGE, edge: EDGE };
  });
  const pixels = new Uint8Array(WIDTH * HEIGHT);
  const totals = new BehaviorSubject<PipelineTotals | undefined>(undefined);
  const health$ = endpoint.watchHealth({ every: 500 });

  const pieces$ = runAll(
    endpoint,
    inputs.map((input) => ({ input })),
    {
      concurrency: health$.pipe(
        map(
          ({ workers: { idle, running, initializing = 0 } }) => Math.ceil(1.5 * (idle + running + initializing)) || 1,
        ),
      ),
      // A failed job has run, so submitting it again pays twice. The library does that only if the caller says so.
      retry: { count: 1, delay: 250, on: (error) => isRunpodError(error, 'job_failed') },
      onError: 'throw',
      totals,
    },
  ).pipe(
    tap(({ request: { input }, output }) => {
      const piece = Buffer.from(output.pixels, 'base64');
      for (let row = 0; row < EDGE; row++)
        pixels.set(piece.subarray(row * EDGE, (row + 1) * EDGE), (input.top + row) * WIDTH + input.left);
    }),
    share(),
  );
  const bar$ = combineLatest([totals, health$]).pipe(
    auditTime(100),
    tap(([now, health]) => {
      if (now) screen.progress(now.done / inputs.length, words(now, inputs.length, health));
    }),
    takeUntil(pieces$.pipe(ignoreElements(), endWith(undefined))),
  );
  return merge(bar$, pieces$).pipe(
    tap({
      complete: () => {
        screen.progress(1, `${inputs.length} of ${inputs.length} squares`);
        writeFileSync(FILE, png(pixels, WIDTH, PALETTE));
        screen.line(
          `  ${relative(process.cwd(), FILE)}  ${WIDTH} × ${HEIGHT} pixels, ${totals.value?.retried ?? 0} square rendered again`,
        );
      },
    }),
  );
}

function words({ done, retried, remaining }: PipelineTotals, all: number, { workers }: EndpointHealth): string {
  return [
    `${done} of ${all} squares`,
    `${workers.running} workers run`,
    ...(retried ? [`${retried} again`] : []),
    ...(remaining === undefined ? [] : [`${seconds(remaining)} left`]),
  ].join(' · ');
}

/** From deep blue over white to gold and red. Points that never escape are black. */
const STOPS: readonly Colour[] = [
  [0, 7, 60],
  [20, 80, 170],
  [237, 255, 255],
  [255, 170, 0],
  [110, 0, 20],
];
const PALETTE: readonly Colour[] = [...Array.from({ length: 255 }, (_, shade) => between(shade / 254)), [0, 0, 0]];

function between(place: number): Colour {
  const at = place * (STOPS.length - 1);
  const [from = [0, 0, 0], to = from] = STOPS.slice(Math.floor(at));
  const mix = (one: 0 | 1 | 2) => Math.round(from[one] + (to[one] - from[one]) * (at % 1));
  return [mix(0), mix(1), mix(2)];
}

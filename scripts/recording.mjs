/**
 * Records `npm run demo` and draws it as docs/demo.svg, which plays by itself:
 *
 *     node scripts/recording.mjs
 *
 * It needs `script` of util-linux, which gives the demo a terminal. The recording shows some steps of the demo, with long pauses
 * shortened, and below them the picture that the last step renders.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { capture } from './recording/capture.mjs';
import { drawing } from './recording/drawing.mjs';
import { versionsOf } from './recording/frames.mjs';
import { thumbnail } from './recording/thumbnail.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const COLUMNS = 88;
const TITLE =
  'A terminal shows the demo: a job that streams its words, a job that is cancelled by unsubscribing, ' +
  'jobs that typing replaces, and a pipeline that renders a fractal';

/** A job that streams, unsubscribing, typing, the pipeline: by the numbers of their titles. */
const STEPS = [1, 5, 7, 8];

const output = await capture('node scripts/demo.mjs', { columns: COLUMNS, cwd: root });
const picture = thumbnail(readFileSync(join(root, '.cache/fractal.png')), 96);
writeFileSync(
  join(root, 'docs/demo.svg'),
  drawing(versionsOf(output, STEPS), { columns: COLUMNS, title: TITLE, picture }),
);

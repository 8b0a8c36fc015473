// An application of ES modules.
import { createRequire } from 'node:module';
import { firstValueFrom, from, of } from 'rxjs';
import * as main from 'runpod-rx';
import * as operators from 'runpod-rx/operators';
import * as testing from 'runpod-rx/testing';
import * as emulator from 'runpod-rx/emulator';
import * as undici from 'runpod-rx/undici';
import * as events from 'runpod-rx/events';
import * as fetching from 'runpod-rx/fetch';
import * as server from 'runpod-rx/server';
import * as durable from 'runpod-rx/durable';
import * as bullmq from 'runpod-rx/bullmq';
import * as pgBoss from 'runpod-rx/pg-boss';

const copy = createRequire(import.meta.url)('runpod-rx');

const replying = (status, body) => ({
  apiKey: 'key',
  transport: () => of({ status, headers: {}, text: JSON.stringify(body) }),
});
const errorOf = (source$) => firstValueFrom(source$).catch((error) => error);
const refused = (library) => errorOf(library.createRunpod(replying(401, {})).endpoint('demo').health());

const own = await refused(main);
const other = await refused(copy);
const failed = await errorOf(
  from([{ status: 'FAILED', rawStatus: 'FAILED', id: 'job', raw: {}, error: { message: 'no', raw: 'no' } }]).pipe(
    operators.jobOutput(),
  ),
);

console.log(
  JSON.stringify({
    entries: Object.fromEntries(
      Object.entries({
        main,
        operators,
        testing,
        emulator,
        undici,
        events,
        fetching,
        server,
        durable,
        bullmq,
        pgBoss,
      }).map(([name, exports]) => [name, Object.keys(exports).length]),
    ),
    run: (
      await firstValueFrom(
        main
          .createRunpod(replying(200, { id: 'job', status: 'IN_QUEUE' }))
          .endpoint('demo')
          .run({ input: { a: 1 } }),
      )
    ).id,
    copies: main.RunpodError !== copy.RunpodError,
    own: [own instanceof main.AuthenticationError, own instanceof main.RunpodError, own instanceof Error],
    other: [other instanceof main.AuthenticationError, other instanceof main.RunpodError, other instanceof Error],
    unrelated: [own, other].map((error) => error instanceof main.JobFailedError),
    // Entry points share their classes: this one came from another.
    shared: failed.constructor === main.JobFailedError,
  }),
);

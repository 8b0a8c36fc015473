// An application in CommonJS.
const { firstValueFrom, from, of } = require('rxjs');
const main = require('runpod-rx');
const operators = require('runpod-rx/operators');
const testing = require('runpod-rx/testing');
const emulator = require('runpod-rx/emulator');
const undici = require('runpod-rx/undici');
const events = require('runpod-rx/events');
const fetching = require('runpod-rx/fetch');
const server = require('runpod-rx/server');
const durable = require('runpod-rx/durable');
const bullmq = require('runpod-rx/bullmq');
const pgBoss = require('runpod-rx/pg-boss');

const replying = (status, body) => ({
  apiKey: 'key',
  transport: () => of({ status, headers: {}, text: JSON.stringify(body) }),
});
const errorOf = (source$) => firstValueFrom(source$).catch((error) => error);
const refused = (library) => errorOf(library.createRunpod(replying(401, {})).endpoint('demo').health());

(async () => {
  const copy = await import('runpod-rx');
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
      shared: failed.constructor === main.JobFailedError,
    }),
  );
})();

/**
 * One program for every row of the matrix: it uses the main parts of the library against an emulator, and returns what it
 * saw. `./expected.mjs` says what it must see.
 */
import { firstValueFrom, lastValueFrom, take, timer, toArray } from 'rxjs';
import { createRunpod, isRunpodError, runAll, runpod } from 'runpod-rx';
import { fetchTransport } from 'runpod-rx/fetch';
import { createEmulator } from 'runpod-rx/testing';

/** A prompt as a request. */
const asking = (prompt) => ({ input: { prompt } });

/** What an Observable's error says; `undefined` if it does not fail. */
async function errorOf(source$) {
  try {
    await lastValueFrom(source$, { defaultValue: undefined });
    return undefined;
  } catch (error) {
    if (!isRunpodError(error)) throw error;
    return error;
  }
}

/**
 * @param baseUrl - of the emulator
 * @param closedUrl - a base URL at a port of this machine where nobody listens
 * @param remoteUrl - the same, by an address that does not look like this machine's
 */
export async function program({ baseUrl, closedUrl, remoteUrl }) {
  const client = runpod({ baseUrl, apiKey: 'any' });
  const submit = await firstValueFrom(client.endpoint('upper').job(asking('hello')).output$);
  const runSync = await firstValueFrom(client.endpoint('upper').runSync(asking('hello')));
  const stream = await lastValueFrom(client.endpoint('words').job(asking('a b c')).chunks$.pipe(toArray()));

  // Leaving a job cancels it, in the next turn of the event loop.
  await firstValueFrom(client.endpoint('slow').job(asking('x')).events$.pipe(take(2), toArray()));
  await firstValueFrom(timer(20));
  const { cancelled } = await firstValueFrom(client.settled());

  const failed = await errorOf(client.endpoint('bad').job(asking('x')).output$);
  const closed = runpod({ baseUrl: closedUrl, apiKey: 'any', retry: false });
  const refused = await errorOf(closed.endpoint('upper').run(asking('x')));
  const remote = runpod({ baseUrl: remoteUrl, apiKey: 'any', retry: false, allowInsecure: true });
  const exposed = await errorOf(remote.endpoint('upper').status('job'));

  const items = await lastValueFrom(
    runAll(client.endpoint('upper'), ['a', 'b', 'c', 'd'].map(asking), { concurrency: 2 }).pipe(toArray()),
  );
  await firstValueFrom(client.close());

  const overFetch = createRunpod({ transport: fetchTransport(), baseUrl, apiKey: 'any', retry: false });
  const notFetched = await errorOf(overFetch.endpoint('upper').runSync(asking('hello')));

  const emulator = createEmulator({ endpoints: { upper: { handler: ({ input }) => input.prompt.toUpperCase() } } });
  const local = createRunpod({ transport: emulator.transport, apiKey: 'any' });
  const emulated = await firstValueFrom(local.endpoint('upper').job(asking('hello')).output$);

  return {
    submit: submit.text,
    runSync: runSync.status,
    stream,
    cancelled: cancelled.length,
    failed: failed?.code,
    refused: `${refused?.code} ${refused?.accepted}`,
    keyRefused: exposed?.code === 'configuration',
    pipeline: items.filter(({ ok }) => ok).length,
    fetchTransport: notFetched?.code ?? 'works',
    emulated,
  };
}

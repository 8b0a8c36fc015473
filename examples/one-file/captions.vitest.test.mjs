/** Tests of one's own code with Vitest: `npx vitest run`. */
import { VirtualTimeScheduler, concat, delay as delayBy, map, of, switchMap } from 'rxjs';
import { createRunpod, result } from 'runpod-rx';
import { createEmulator } from 'runpod-rx/testing';
import { expect, test } from 'vitest';

/** The code under test: the caption of a picture, in capitals; nobody waits longer than a minute for it. */
async function caption(endpoint, url) {
  const { text } = await result(endpoint.job({ input: { url } }, { timeout: 60_000 }));
  return text.toUpperCase();
}

/** The code under test: captions while somebody chooses pictures. The job of a picture that is left is cancelled. */
function captions(endpoint, urls$) {
  return urls$.pipe(switchMap((url) => endpoint.job({ input: { url } }).output$));
}

/** A client whose requests go to a RunPod in this process: there is no network, and no key. */
function local(handler, options = {}) {
  const emulator = createEmulator({ endpoints: { captions: { handler } }, ...options });
  const client = createRunpod({ transport: emulator.transport, baseUrl: 'http://localhost', ...options });
  return { emulator, endpoint: client.endpoint('captions') };
}

test('a caption is in capitals', async () => {
  const { endpoint, emulator } = local(async () => ({ text: 'a boat' }));
  expect(await caption(endpoint, 'boat.png')).toBe('A BOAT');
  expect(emulator.jobs()).toHaveLength(1);
});

test('a failure of the worker reaches the caller', async () => {
  const { endpoint } = local(() => ({ error: 'no such picture' }));
  await expect(caption(endpoint, 'none.png')).rejects.toMatchObject({ code: 'job_failed' });
});

test('the job of a picture that is left is cancelled: jobs of nine minutes, in virtual time', () => {
  const scheduler = new VirtualTimeScheduler();
  // In virtual time a handler waits by `delay`, or another Observable: an async handler would be an error.
  const { endpoint, emulator } = local(
    ({ input }, { delay }) => delay(540_000).pipe(map(() => ({ text: input.url }))),
    { scheduler },
  );
  const seen = [];
  const failed = (error) => seen.push(String(error));
  const urls$ = concat(of('one.png'), of('two.png').pipe(delayBy(60_000, scheduler)));
  captions(endpoint, urls$).subscribe({ next: ({ text }) => seen.push(text), error: failed });
  scheduler.flush();

  expect(seen).toEqual(['two.png']);
  expect(emulator.jobs().map(({ status }) => status)).toEqual(['CANCELLED', 'COMPLETED']);
});

import { Subject, firstValueFrom, lastValueFrom, of, throwError, type Observable } from 'rxjs';
import { beforeEach, expect, test } from 'vitest';
import { createRunpod, vouchedNotice, type Transport } from 'runpod-rx';

const WEBHOOK = 'https://hooks.example/?token=123456';

let status: string;
let lines: string[];
let lost$: Observable<never>;
const notices = new Subject<unknown>();

/** A service that runs a failed job again when it is asked to, and whose answer to that is lost. */
const transport: Transport = ({ method, url, operation }) => {
  lines.push(`${method} ${url.replace(/.*\/demo/, '')}`);
  if (operation === 'cancel') status = 'CANCELLED';
  if (operation === 'retry') {
    status = 'IN_PROGRESS';
    return lost$;
  }
  return of({ status: 200, headers: {}, text: JSON.stringify({ id: 'j', status }) });
};

const made = () => {
  const client = createRunpod({ transport, apiKey: 'key', limits: false, notices });
  return { client, endpoint: client.endpoint('demo') };
};

beforeEach(() => {
  status = 'FAILED';
  lines = [];
  lost$ = throwError(() => new Error('reset'));
});

test('a job that failed, and whose retry was left and its answer lost, is cancelled: it may run again', async () => {
  const lost = new Subject<never>();
  lost$ = lost;
  const { client, endpoint } = made();
  await firstValueFrom(endpoint.status('j'));
  endpoint.retry('j').subscribe().unsubscribe();
  lost.error(new Error('reset'));
  expect(await firstValueFrom(client.settled())).toMatchObject({ cancelled: [{ id: 'j' }] });
  expect(lines).toEqual(['GET /status/j', 'POST /retry/j', 'POST /cancel/j']);
});

test('what a webhook told of the run before a lost retry does not end the job', async () => {
  status = 'IN_QUEUE';
  const { endpoint } = made();
  const listening = endpoint.watch('other').subscribe();
  await firstValueFrom(endpoint.run({ input: { a: 1 }, webhook: WEBHOOK }));
  notices.next(vouchedNotice({ id: 'j', status: 'FAILED' }, { webhook: WEBHOOK }));
  await expect(lastValueFrom(endpoint.retry('j'))).rejects.toMatchObject({ code: 'submission_unknown' });
  expect((await firstValueFrom(endpoint.watch('j'))).status).toBe('IN_PROGRESS');
  listening.unsubscribe();
});

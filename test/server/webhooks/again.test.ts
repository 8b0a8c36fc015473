import { firstValueFrom, lastValueFrom, of } from 'rxjs';
import { expect, test } from 'vitest';
import { createRunpod, type Transport } from 'runpod-rx';
import { ended, receiver } from './support.js';

test('an end that was taken ends the job no second time: others may have run it again', async () => {
  let status = 'IN_QUEUE';
  const lines: string[] = [];
  const transport: Transport = ({ operation }) => {
    lines.push(operation);
    return of({ status: 200, headers: {}, text: JSON.stringify({ id: 'job-1', status }) });
  };
  const { webhooks, urlOf, post } = receiver();
  const client = createRunpod({ transport, apiKey: 'key', limits: false, notices: webhooks.notices });
  const endpoint = client.endpoint('demo');
  const end = lastValueFrom(endpoint.runToEnd(webhooks.sign({ input: { a: 1 } }, 'a')));
  expect(await post(urlOf('a'), ended('job-1', { status: 'FAILED' }))).toBe(200);
  expect((await end).status).toBe('FAILED');
  expect(lines).toEqual(['run']);
  // By another process. The receiver tells a new listener the ends of the last two minutes.
  status = 'IN_PROGRESS';
  expect((await firstValueFrom(endpoint.watch('job-1'))).status).toBe('IN_PROGRESS');
});

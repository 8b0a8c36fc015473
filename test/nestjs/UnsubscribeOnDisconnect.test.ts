import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExecutionContext } from '@nestjs/common';
import { lastValueFrom, Observable } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { UnsubscribeOnDisconnect } from 'runpod-rx/nestjs';

/** A response of Node's whose client has left already. */
async function abandonedResponse(): Promise<ServerResponse> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const arrived = new Promise<ServerResponse>((resolve) => {
    server.on('request', (_, response) => {
      resolve(response);
    });
  });
  const asking = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  asking.on('error', () => undefined);
  const response = await arrived;
  const closed = new Promise((resolve) => response.on('close', resolve));
  asking.destroy();
  await closed;
  return response;
}

test('a client that left while a guard was asked has no job submitted', async () => {
  const response = await abandonedResponse();
  let submissions = 0;
  const submission$ = new Observable<string>((subscriber) => {
    submissions++;
    subscriber.next('an output');
    subscriber.complete();
  });
  const context = { getType: () => 'http', switchToHttp: () => ({ getResponse: () => response }) };
  const answer$ = new UnsubscribeOnDisconnect().intercept(context as unknown as ExecutionContext, {
    handle: () => submission$,
  });
  expect(await lastValueFrom(answer$)).toBeUndefined();
  expect(submissions).toBe(0);
});

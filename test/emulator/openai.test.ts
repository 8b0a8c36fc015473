import { interval, map, take, throwError } from 'rxjs';
import { describe, expect, test } from 'vitest';
import type { EmulatedEndpoint } from 'runpod-rx/testing';
import { world } from './world.js';

const start = (demo: EmulatedEndpoint) => world({ endpoints: { demo } });
const chat = 'demo/openai/v1/chat/completions';

describe('the OpenAI route', () => {
  test("makes a job input from the path and the body, and answers with the job's result", () => {
    const { send, until, emulator } = start({ handler: () => ({ object: 'chat.completion', choices: [] }) });
    const seen = send('POST', chat, { model: 'm', messages: [] });
    until(1);
    expect(seen).toMatchObject({ status: 200, text: '{"object":"chat.completion","choices":[]}' });
    expect(emulator.jobs()).toMatchObject([
      { input: { openai_route: '/v1/chat/completions', openai_input: { model: 'm', messages: [] } } },
    ]);
    expect(emulator.requests()).toMatchObject([{ operation: 'openai', jobId: emulator.jobs()[0]!.id }]);
  });

  test('reads the models', () => {
    const { send, until } = start({ handler: ({ input }) => ({ object: 'list', asked: input }) });
    const seen = send('GET', 'demo/openai/v1/models');
    until(1);
    expect(seen.text).toBe('{"object":"list","asked":{"openai_route":"/v1/models","openai_input":{}}}');
    expect(send('GET', chat)).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(send('POST', 'demo/openai/v1/models', {})).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect(send('POST', 'demo/openai', {}).status).toBe(404);
  });

  test('streams events', () => {
    const handler: EmulatedEndpoint['handler'] = (_, { scheduler }) =>
      interval(10, scheduler).pipe(
        take(2),
        map((index) => ({ index })),
      );
    const { send, until } = start({ handler, stream: true });
    const seen = send('POST', chat, { stream: true });
    until(100);
    expect(seen).toMatchObject({
      status: 200,
      at: 20,
      headers: { 'content-type': 'text/event-stream' },
      text: 'data: {"index":0}\n\ndata: {"index":1}\n\ndata: [DONE]\n\n',
    });
  });

  test('passes on events that the worker has written itself', () => {
    const events = ['data: {"a":1}\n\n', 'data: [DONE]\n\n'];
    const handler: EmulatedEndpoint['handler'] = (_, { scheduler }) =>
      interval(10, scheduler).pipe(
        take(2),
        map((index) => events[index]),
      );
    const { send, until } = start({ handler, stream: true });
    const seen = send('POST', chat, { stream: true });
    until(100);
    expect(seen.text).toBe(events.join(''));
  });

  test('without `stream`, the last chunk of a handler that streams is the answer', () => {
    const { send, until } = start({ handler: (_, { delay }) => delay(5).pipe(map(() => ({ ok: 1 }))), stream: true });
    const seen = send('POST', chat, {});
    until(100);
    expect(seen).toMatchObject({ text: '{"ok":1}', headers: { 'content-type': 'application/json' } });
  });

  test.each([true, false])('a failure before the first chunk is answered with 500 (stream: %s)', (stream) => {
    const { send, until } = start({ handler: () => ({ error: 'no model' }) });
    const seen = send('POST', chat, { stream });
    until(10);
    expect(seen).toMatchObject({
      status: 500,
      text: '{"error":{"message":"no model","type":"worker_error","code":null}}',
    });
  });

  test('a failure during the stream is the last event', () => {
    const handler: EmulatedEndpoint['handler'] = (_, { scheduler }) =>
      interval(10, scheduler).pipe(map((index) => (index < 1 ? { index } : { error: 'no memory' })));
    const { send, until } = start({ handler, stream: true });
    const seen = send('POST', chat, { stream: true });
    until(100);
    expect(seen.text).toBe(
      'data: {"index":0}\n\ndata: {"error":{"message":"no memory","type":"worker_error","code":null}}\n\n',
    );
  });

  test('a body that is no object, or too large, is refused', () => {
    const { send, emulator } = start({ handler: () => throwError(() => new Error('never')) });
    for (const body of ['{', '[]', 'null', ' '.repeat(20 * 1024 * 1024 + 1)]) {
      expect(send('POST', chat, body)).toMatchObject({
        status: 400,
        text: expect.stringContaining('bad request: body'),
      });
    }
    expect(emulator.jobs()).toEqual([]);
  });
});

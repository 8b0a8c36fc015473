import { describe, expect, it } from 'vitest';
import { parseStream } from '../../src/protocol/streamReply.js';
import { streamForms, streamSequence, type StreamForm } from '../fixtures/streams.js';

describe('parseStream', () => {
  it.each(streamSequence)('reads $text', ({ text, reply }) => {
    expect(parseStream(text)).toStrictEqual({ value: reply });
  });

  it.each<[string, StreamForm]>(Object.entries(streamForms))('S15 reads %s', (_, { text, reply }) => {
    expect(parseStream(text)).toStrictEqual({ value: reply });
  });

  it.each([
    ['an error and nothing else', '{"error":"endpoint is not ready"}', 'says: endpoint is not ready'],
    ['no JSON', '<html></html>', 'is not a JSON object'],
    ['an answer cut off', '{"status":"IN_PROGRESS","stream":[{"out', 'is not a JSON object'],
    ['a list', '[]', 'is not a JSON object'],
    ['nothing', ' ', 'is empty'],
    ['no status', '{"stream":[]}', 'has no status'],
  ])('S19 says what is wrong with %s', (_, text, issue) => {
    expect(parseStream(text)).toStrictEqual({ issue });
  });

  it('reads chunks with the endpoint’s own parser', () => {
    const parse = () => ({ status: 'IN_PROGRESS', stream: [{ output: 1n }] });
    expect(parseStream('…', { parse })).toStrictEqual({ value: { status: 'IN_PROGRESS', chunks: [1n] } });
  });
});

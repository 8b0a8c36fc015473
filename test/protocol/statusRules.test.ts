import { describe, expect, it } from 'vitest';
import { mayRepeat, phaseRule, statusRule, type StatusRule } from '../../src/protocol/statusRules.js';

const refused = { refused: true, retryable: false, repeatCareful: false, mayLoseChunks: false };
const notNow = { refused: true, retryable: true, repeatCareful: true, mayLoseChunks: false };
const uncertain = { refused: false, retryable: true, repeatCareful: false, mayLoseChunks: true };
const unexpected = { refused: false, retryable: false, repeatCareful: false, mayLoseChunks: false };

describe('statusRule', () => {
  it.each<[string, readonly number[], Partial<StatusRule>]>([
    ['refuses', [400, 402, 405, 409, 422, 499], { code: 'http', ...refused }],
    ['refuses, with a redirect of the same request,', [307, 308], { code: 'http', ...refused }],
    ['refuses the key', [401, 403], { code: 'authentication', ...refused }],
    ['does not know the endpoint', [404], { code: 'not_found', ...refused }],
    ['refuses the size', [413], { code: 'body_too_large', ...refused }],
    ['may accept the request later', [429], { code: 'rate_limit', ...notNow }],
    ['may have acted on the request', [408, 500, 502, 503, 504, 524, 599, 600], { code: 'http', ...uncertain }],
    ['answers in a way that is not documented', [301, 302, 303, 304, 399], { code: 'http', ...unexpected }],
    ['did not refuse the request', [200, 204], { refused: false }],
  ])('S1 S16 S22 the server %s: %j', (_, statuses, rule) => {
    for (const status of statuses) expect({ status, ...statusRule(status) }).toMatchObject({ status, ...rule });
  });
});

describe('phaseRule', () => {
  it('S1 says that a request without a connection reached nothing, and a sent request may have', () => {
    expect(phaseRule('connect')).toStrictEqual(notNow);
    expect(phaseRule('sent')).toStrictEqual(uncertain);
  });
});

describe('mayRepeat', () => {
  it('S2 repeats what may succeed later, unless the operation is careful', () => {
    expect(mayRepeat(uncertain, false)).toBe(true);
    expect(mayRepeat(notNow, false)).toBe(true);
    expect(mayRepeat(refused, false)).toBe(false);
    expect(mayRepeat(unexpected, false)).toBe(false);
  });

  it('S1 repeats a careful operation only where the server cannot have acted on it', () => {
    expect(mayRepeat(notNow, true)).toBe(true);
    expect(mayRepeat(uncertain, true)).toBe(false);
    expect(mayRepeat(refused, true)).toBe(false);
    expect(mayRepeat(unexpected, true)).toBe(false);
  });
});

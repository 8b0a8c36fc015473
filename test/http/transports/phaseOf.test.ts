import { describe, expect, it } from 'vitest';
import { networkError } from '../../../src/http/transports/networkError.js';
import { phaseOf } from '../../../src/http/transports/phaseOf.js';

const fail = (message: string, details: object = {}) => Object.assign(new Error(message), details);

describe('phaseOf', () => {
  it.each([
    ['a refused connection', { code: 'ECONNREFUSED', syscall: 'connect' }],
    ['a name that does not exist', { code: 'ENOTFOUND', syscall: 'getaddrinfo' }],
    ['a name server that is busy', { code: 'EAI_AGAIN' }],
    ['no route', { code: 'EHOSTUNREACH' }],
    ['no network', { code: 'ENETUNREACH' }],
    ['a time-out of the system while connecting', { code: 'ETIMEDOUT', syscall: 'connect' }],
    ['a reset while connecting', { code: 'ECONNRESET', syscall: 'connect' }],
    ['undici’s connect timeout', { code: 'UND_ERR_CONNECT_TIMEOUT' }],
    ['a refused connection, where nobody says by which call', { code: 'ECONNREFUSED' }],
    ['undici’s refusal of a header', { code: 'UND_ERR_INVALID_ARG' }],
    ['undici’s refusal of an expectation', { code: 'UND_ERR_NOT_SUPPORTED' }],
    ['a dispatcher that was closed', { code: 'UND_ERR_CLOSED' }],
    ['an expired certificate', { code: 'CERT_HAS_EXPIRED' }],
    ['a certificate of one’s own', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }],
    ['an unknown issuer', { code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }],
    ['a certificate for another name', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    ['a phase that says so itself', { phase: 'connect' }],
  ])('S1 connect: %s', (_, details) => {
    expect(phaseOf(fail('x', details))).toBe('connect');
  });

  it.each([
    ['a reset', { code: 'ECONNRESET', syscall: 'read' }],
    ['a broken pipe', { code: 'EPIPE', syscall: 'write' }],
    ['a time-out of an open connection', { code: 'ETIMEDOUT', syscall: 'read' }],
    ['a socket that the other side closed', { code: 'UND_ERR_SOCKET' }],
    ['undici’s headers timeout', { code: 'UND_ERR_HEADERS_TIMEOUT' }],
    ['axios’s time-out', { code: 'ECONNABORTED' }],
    ['a route that went away from an open connection', { code: 'EHOSTUNREACH', syscall: 'read' }],
    ['a network that went away from an open connection', { code: 'ENETUNREACH', syscall: 'write' }],
    ['an open connection that a firewall rejects', { code: 'ECONNREFUSED', syscall: 'read' }],
    ['a dispatcher that was destroyed', { code: 'UND_ERR_DESTROYED' }],
    ['a code that only begins like a known one', { code: 'ECONNREFUSED_BY_PROXY' }],
    ['a code that is no text', { code: 7 }],
    ['a phase that says so itself, whatever its code', { phase: 'sent', code: 'ECONNREFUSED' }],
    ['no more than words', {}],
  ])('S1 sent: %s', (_, details) => {
    expect(phaseOf(fail('x', details))).toBe('sent');
  });

  it.each([undefined, null, 'ECONNREFUSED', 7, {}, []])('S1 sent: %j, which is no error', (value) => {
    expect(phaseOf(value)).toBe('sent');
  });

  it('S1 looks into the causes', () => {
    const refused = fail('connect', { code: 'ECONNREFUSED' });
    expect(phaseOf(fail('fetch failed', { cause: refused }))).toBe('connect');
    expect(phaseOf(fail('outer', { cause: fail('fetch failed', { cause: refused }) }))).toBe('connect');
    expect(phaseOf(fail('fetch failed', { cause: fail('read', { code: 'ECONNRESET' }) }))).toBe('sent');
  });

  it('S1 a code that is repeated without its system call is judged by the call that the cause names', () => {
    const wrapped = (code: string, syscall: string) =>
      phaseOf(fail('x', { code, cause: fail(`${syscall} ${code}`, { code, syscall }) }));
    for (const code of ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']) {
      expect(wrapped(code, 'read')).toBe('sent');
      expect(wrapped(code, 'connect')).toBe('connect');
    }
  });

  it('S1 several addresses: only where each failed to connect', () => {
    const refused = fail('x', { code: 'ECONNREFUSED' });
    const reset = fail('x', { code: 'ECONNRESET', syscall: 'read' });
    expect(phaseOf(new AggregateError([refused, refused]))).toBe('connect');
    expect(phaseOf(new AggregateError([refused, reset]))).toBe('sent');
    expect(phaseOf(new AggregateError([]))).toBe('sent');
    expect(phaseOf(fail('fetch failed', { cause: new AggregateError([refused]) }))).toBe('connect');
  });

  it('S1 does not go round in circles', () => {
    const first = fail('a');
    first.cause = fail('b', { cause: first });
    expect(phaseOf(first)).toBe('sent');
    const deep = [1, 2, 3, 4].reduce((cause) => fail('x', { cause }), fail('x', { code: 'ECONNREFUSED' }));
    expect(phaseOf(deep)).toBe('sent');
  });
});

describe('networkError', () => {
  it('S21 keeps words, code and phase, and nothing else', () => {
    const error = networkError(
      fail('read ECONNRESET', { code: 'ECONNRESET', config: { headers: { authorization: 'Bearer x' } }, request: {} }),
    );
    expect(error).toBeInstanceOf(Error);
    expect(Object.entries(error)).toEqual([
      ['phase', 'sent'],
      ['code', 'ECONNRESET'],
    ]);
    expect(error.message).toBe('read ECONNRESET');
    expect(error.cause).toBeUndefined();
  });

  it.each([
    [
      'the first of several',
      new AggregateError([fail('connect ECONNREFUSED ::1'), fail('other')]),
      'connect ECONNREFUSED ::1',
    ],
    ['the cause’s', fail('', { cause: fail('inner') }), 'inner'],
    ['the code', fail('', { code: 'EPIPE' }), 'EPIPE'],
    ['what was thrown instead of an error', 'gone', 'gone'],
    ['its own, where there are none', fail(''), 'the connection failed'],
  ])('S22 its words are %s', (_, given, message) => {
    expect(networkError(given).message).toBe(message);
  });

  it('S22 a code of the outer error stands before that of the inner', () => {
    const inner = fail('inner', { code: 'INNER' });
    expect(networkError(fail('', { cause: inner })).code).toBe('INNER');
    expect(networkError(fail('', { code: 'OUTER', cause: inner })).code).toBe('OUTER');
    expect(networkError(fail('no code'))).not.toHaveProperty('code');
  });

  it('S1 a phase that is given counts', () => {
    expect(networkError(fail('x', { code: 'ECONNREFUSED' }), 'sent').phase).toBe('sent');
  });
});

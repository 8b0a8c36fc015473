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
    ['a connect timeout of the system', { code: 'ETIMEDOUT', syscall: 'connect' }],
    ['a reset while connecting', { code: 'ECONNRESET', syscall: 'connect' }],
    ['undici’s connect timeout', { code: 'UND_ERR_CONNECT_TIMEOUT' }],
    ['a refused connection without a system call', { code: 'ECONNREFUSED' }],
    ['undici’s refusal of a header', { code: 'UND_ERR_INVALID_ARG' }],
    ['undici’s refusal of an expectation', { code: 'UND_ERR_NOT_SUPPORTED' }],
    ['a closed dispatcher', { code: 'UND_ERR_CLOSED' }],
    ['an expired certificate', { code: 'CERT_HAS_EXPIRED' }],
    ['a self-signed certificate', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }],
    ['an unknown issuer', { code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }],
    ['a certificate for another name', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
    ['an error whose own phase is connect', { phase: 'connect' }],
  ])('S1 connect: %s', (_, details) => {
    expect(phaseOf(fail('x', details))).toBe('connect');
  });

  it.each([
    ['a reset', { code: 'ECONNRESET', syscall: 'read' }],
    ['a broken pipe', { code: 'EPIPE', syscall: 'write' }],
    ['a timeout of an open connection', { code: 'ETIMEDOUT', syscall: 'read' }],
    ['a socket that the other side closed', { code: 'UND_ERR_SOCKET' }],
    ['undici’s headers timeout', { code: 'UND_ERR_HEADERS_TIMEOUT' }],
    ['axios’s timeout', { code: 'ECONNABORTED' }],
    ['a route that went away from an open connection', { code: 'EHOSTUNREACH', syscall: 'read' }],
    ['a network that went away from an open connection', { code: 'ENETUNREACH', syscall: 'write' }],
    ['an open connection that a firewall rejects', { code: 'ECONNREFUSED', syscall: 'read' }],
    ['a destroyed dispatcher', { code: 'UND_ERR_DESTROYED' }],
    ['a code that only begins like a known one', { code: 'ECONNREFUSED_BY_PROXY' }],
    ['a code that is not a string', { code: 7 }],
    ['an error whose own phase is sent, whatever its code', { phase: 'sent', code: 'ECONNREFUSED' }],
    ['an error with only a message', {}],
  ])('S1 sent: %s', (_, details) => {
    expect(phaseOf(fail('x', details))).toBe('sent');
  });

  it.each([
    ['UND_ERR_ABORTED', 'Proxy response (407) !== 200 when HTTP Tunneling', 'connect'],
    ['ECONNRESET', 'Client network socket disconnected before secure TLS connection was established', 'connect'],
    ['UND_ERR_ABORTED', 'Request aborted', 'sent'],
    ['ECONNRESET', 'socket hang up', 'sent'],
  ])('S1 S27 %s with the message "%s" is %s', (code, message, phase) => {
    expect(phaseOf(fail(message, { code }))).toBe(phase);
  });

  it.each([undefined, null, 'ECONNREFUSED', 7, {}, []])('S1 sent: %j, which is not an error', (value) => {
    expect(phaseOf(value)).toBe('sent');
  });

  it('S1 uses the code of a cause', () => {
    const refused = fail('connect', { code: 'ECONNREFUSED' });
    expect(phaseOf(fail('fetch failed', { cause: refused }))).toBe('connect');
    expect(phaseOf(fail('outer', { cause: fail('fetch failed', { cause: refused }) }))).toBe('connect');
    expect(phaseOf(fail('fetch failed', { cause: fail('read', { code: 'ECONNRESET' }) }))).toBe('sent');
  });

  it('S1 uses the system call of the cause if the outer error has the same code without a system call', () => {
    const wrapped = (code: string, syscall: string) =>
      phaseOf(fail('x', { code, cause: fail(`${syscall} ${code}`, { code, syscall }) }));
    for (const code of ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']) {
      expect(wrapped(code, 'read')).toBe('sent');
      expect(wrapped(code, 'connect')).toBe('connect');
    }
  });

  it('S1 is connect for several addresses only if each failed to connect', () => {
    const refused = fail('x', { code: 'ECONNREFUSED' });
    const reset = fail('x', { code: 'ECONNRESET', syscall: 'read' });
    expect(phaseOf(new AggregateError([refused, refused]))).toBe('connect');
    expect(phaseOf(new AggregateError([refused, reset]))).toBe('sent');
    expect(phaseOf(new AggregateError([]))).toBe('sent');
    expect(phaseOf(fail('fetch failed', { cause: new AggregateError([refused]) }))).toBe('connect');
  });

  it('S1 ends on causes that are circular or deep', () => {
    const first = fail('a');
    first.cause = fail('b', { cause: first });
    expect(phaseOf(first)).toBe('sent');
    const deep = [1, 2, 3, 4].reduce((cause) => fail('x', { cause }), fail('x', { code: 'ECONNREFUSED' }));
    expect(phaseOf(deep)).toBe('sent');
  });
});

describe('networkError', () => {
  it('S21 keeps the message, the code and the phase, and nothing else', () => {
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
      'the message of the first of several errors',
      new AggregateError([fail('connect ECONNREFUSED ::1'), fail('other')]),
      'connect ECONNREFUSED ::1',
    ],
    ['the message of the cause', fail('', { cause: fail('inner') }), 'inner'],
    ['the code', fail('', { code: 'EPIPE' }), 'EPIPE'],
    ['a thrown string', 'gone', 'gone'],
    ['a default text if there is nothing else', fail(''), 'the connection failed'],
  ])('S22 has as its message %s', (_, given, message) => {
    expect(networkError(given).message).toBe(message);
  });

  it('S22 prefers the code of the outer error to the code of its cause', () => {
    const inner = fail('inner', { code: 'INNER' });
    expect(networkError(fail('', { cause: inner })).code).toBe('INNER');
    expect(networkError(fail('', { code: 'OUTER', cause: inner })).code).toBe('OUTER');
    expect(networkError(fail('no code'))).not.toHaveProperty('code');
  });

  it('S1 uses the phase argument instead of the code', () => {
    expect(networkError(fail('x', { code: 'ECONNREFUSED' }), 'sent').phase).toBe('sent');
  });
});

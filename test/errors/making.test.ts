import { describe, expect, it } from 'vitest';
import {
  AuthenticationError,
  ConnectionError,
  HttpError,
  NotFoundError,
  RateLimitError,
  RequestTimeoutError,
  ResponseError,
  RunpodError,
} from '../../src/errors/index.js';
import { BodyTooLargeError } from '../../src/errors/BodyTooLargeError.js';
import { invalidRequest } from '../../src/errors/invalidRequest.js';
import { jobError } from '../../src/errors/jobError.js';
import { streamLoss } from '../../src/errors/streamLoss.js';
import { submissionUnknown } from '../../src/errors/submissionUnknown.js';
import { timedOut } from '../../src/errors/timedOut.js';
import { toHttpError } from '../../src/errors/toHttpError.js';
import type { FailedSnapshot } from '../../src/types/JobSnapshot.js';
import { httpErrors, type HttpErrorForm } from '../fixtures/httpErrors.js';
import { members } from '../fixtures/members.js';
import { job, life } from '../fixtures/snapshots.js';

const at = { operation: 'status', endpointId: 'e', jobId: 'j' };
const asIs = (text: string) => text;
const http = (status: number, { text = '', headers = {} }: Partial<HttpErrorForm> = {}, advise = true) =>
  toHttpError({ status, headers, text }, at, { now: 0, redact: asIs, advise });

describe('toHttpError', () => {
  it.each<[string, HttpErrorForm]>(Object.entries(httpErrors))(
    'S22 quotes the service’s words in the error for %s',
    (_, form) => {
      const { status, words, code } = form;
      const error = http(status, form, false);
      const said = words === undefined ? '' : `: ${words}`;
      expect(error.message).toBe(`status on endpoint e was answered ${status}${said}`);
      expect(members(error)).toStrictEqual({
        name: error.constructor.name,
        code,
        ...at,
        status,
        retryable: status === 408 || status === 429 || status >= 500,
      });
    },
  );

  it.each([
    [401, AuthenticationError, 'check the API key (option apiKey or RUNPOD_API_KEY) and what it may do'],
    [403, AuthenticationError, 'check the API key (option apiKey or RUNPOD_API_KEY) and what it may do'],
    [
      404,
      NotFoundError,
      "check the endpoint id, that the API key belongs to the endpoint's account, and the option baseUrl if it is set",
    ],
    [413, BodyTooLargeError, 'store large data elsewhere and send a URL'],
    [429, RateLimitError, 'send less, or later'],
    [408, HttpError, 'try again later'],
    [500, HttpError, 'try again later'],
    [503, HttpError, 'try again later'],
    [400, HttpError, undefined],
    [402, HttpError, undefined],
  ])('S22 makes the class for a %i, and says what can be done about it', (status, type, remedy) => {
    const error = http(status);
    expect(error.constructor).toBe(type);
    expect(error.message).toBe(`status on endpoint e was answered ${status}${remedy ? `; ${remedy}` : ''}`);
  });

  it('S2 says when to try again, and has the time as retryAfter', () => {
    const error = http(429, { headers: { 'retry-after': '1.5' } });
    expect(error.message).toBe('status on endpoint e was answered 429; try again in 2 s');
    expect(error.retryAfter).toBe(1_500);
  });

  it('S1 gives no advice to send a request again where it is told not to', () => {
    expect(http(500, {}, false).message).toBe('status on endpoint e was answered 500');
    expect(http(429, {}, true).message).toBe('status on endpoint e was answered 429; send less, or later');
  });

  it('S22 reads the id of the request from either header', () => {
    expect(http(500, { headers: { 'x-request-id': 'r1', 'cf-ray': 'r2' } }).requestId).toBe('r1');
    expect(http(500, { headers: { 'cf-ray': 'r2' } }).requestId).toBe('r2');
  });

  it('S21 names the target of a redirect without its user, query and fragment', () => {
    const { message } = http(301, { headers: { location: 'https://user:word@other.example/path?token=1#part' } });
    expect(message).toBe(
      'status on endpoint e was answered 301; redirects, here to https://other.example/path, are not followed: check the option baseUrl',
    );
  });

  it('S21 redacts the message and the id of the request', () => {
    const redact = (text: string) => text.replaceAll('rpa_SECRET', '***');
    const reply = {
      status: 401,
      headers: { 'x-request-id': 'r-rpa_SECRET' },
      text: '{"error":"key rpa_SECRET is wrong"}',
    };
    const error = toHttpError(reply, at, { now: 0, redact, advise: true });
    expect(error.message).toMatch('401: key *** is wrong');
    expect(JSON.stringify([error, error.message, error.stack])).not.toContain('SECRET');
  });
});

describe('jobError', () => {
  const failed = (error: unknown) => job('FAILED', { error }) as FailedSnapshot;

  it('S3 takes the job’s id from the snapshot, and the rest from the context', () => {
    const error = jobError(life.x as never, { ...at, jobId: 'other', tag: 't' });
    expect(members(error)).toMatchObject({ jobId: 'j', tag: 't', operation: 'status', endpointId: 'e' });
  });

  it('S12 reports an exceeded executionTimeout as a deadline of the server', () => {
    for (const words of ['executionTimeout exceeded', 'executionTimeout exceeded after 5 s'])
      expect(jobError(failed(words), at)).toMatchObject({ code: 'job_deadline', limit: 'execution', by: 'server' });
    expect(jobError(failed('my executionTimeout exceeded'), at)).toMatchObject({ code: 'job_failed' });
  });

  it('S17 has the snapshot, and says why the job failed', () => {
    const snapshot = failed('{"error_type": "<class \'ValueError\'>", "error_message": "bad prompt"}');
    const error = jobError(snapshot, at);
    expect(error.message).toBe('job j failed: bad prompt');
    expect(members(error).snapshot).toBe(snapshot);
    const late = job('TIMED_OUT', { error: 'worker lost' });
    expect(jobError(late as never, at).message).toBe('job j timed out: worker lost');
  });
});

describe('streamLoss', () => {
  const response = (excerpt: string) => new ResponseError('cut off', at, { excerpt });
  it.each<[string, unknown, string | undefined]>([
    ['a 429', http(429), undefined],
    ['a 404', http(404), undefined],
    ['a 401', http(401), undefined],
    ['a redirect', http(302), undefined],
    ['a connection that never came about', new ConnectionError('no', at, { phase: 'connect' }), undefined],
    ['another of the library', new RunpodError('no', at), undefined],
    ['an error that is not the library’s own', new Error('a bug'), 'possibly'],
    ['what is no error', undefined, 'possibly'],
    ['a 408', http(408), 'possibly'],
    ['a 500', http(500), 'possibly'],
    ['a 524', http(524), 'possibly'],
    ['a broken connection', new ConnectionError('no', at, { phase: 'sent' }), 'possibly'],
    ['a timeout', new RequestTimeoutError('no', at, { timeout: 1 }), 'possibly'],
    ['an answer without chunks, cut off', response('{"status":"IN_PROGRESS","stream":[{"out'), 'possibly'],
    ['an answer among its chunks, cut off', response('{"status":"x","stream":[{"output":1'), 'certainly'],
  ])('S16 says whether %s took chunks: %s', (_, error, loss) => {
    expect(streamLoss(error)).toBe(loss);
  });
});

describe('invalidRequest', () => {
  it('S20 says that nothing was sent, and names the fields', () => {
    const issues = [{ field: 'policy.ttl', given: '1', rule: 'must be more' }];
    const error = invalidRequest(issues, { operation: 'run', endpointId: 'e' });
    expect(error.message).toBe('run was not sent: policy.ttl is 1, but must be more');
    expect(members(error)).toStrictEqual({
      name: 'ValidationError',
      code: 'validation',
      retryable: false,
      operation: 'run',
      endpointId: 'e',
      accepted: 'no',
      issues,
    });
  });
});

describe('submissionUnknown', () => {
  it('S1 says that the job may run, and why the answer was lost', () => {
    const cause = new Error('reset');
    const error = submissionUnknown({ operation: 'run', endpointId: 'e', accepted: 'no' }, cause);
    expect(error).toMatchObject({ code: 'submission_unknown', accepted: 'unknown', retryable: false });
    expect(error.cause).toBe(cause);
    expect(error.message).toMatch(/^reset\. The job may have been accepted/);
    expect(submissionUnknown({ operation: 'run' }, 'x').message).toMatch(/^no answer came\. /);
  });
});

describe('timedOut', () => {
  it('S12 names the limit and the option, and is retryable unless a submission may have been accepted', () => {
    const error = timedOut(30_000, 'requestTimeout', at);
    expect(error.message).toBe('status on endpoint e had no answer within 30000 ms (option requestTimeout)');
    expect(error).toMatchObject({ code: 'request_timeout', timeout: 30_000, retryable: true, jobId: 'j' });
    expect(timedOut(1, 'timeout', { ...at, accepted: 'no' }).retryable).toBe(true);
    expect(timedOut(1, 'timeout', { ...at, accepted: 'unknown' }).retryable).toBe(false);
  });
});

import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { BodyTooLargeError } from '../../src/errors/BodyTooLargeError.js';
import * as errors from '../../src/errors/index.js';
import { isRunpodError, RunpodError, type ErrorsByCode } from '../../src/errors/index.js';

type Class = new (message: string, context: object, details?: object) => RunpodError;

/** Every class by its code. */
const classes = {
  configuration: errors.ConfigurationError,
  validation: errors.ValidationError,
  http: errors.HttpError,
  authentication: errors.AuthenticationError,
  not_found: errors.NotFoundError,
  rate_limit: errors.RateLimitError,
  body_too_large: BodyTooLargeError,
  connection: errors.ConnectionError,
  request_timeout: errors.RequestTimeoutError,
  response: errors.ResponseError,
  submission_unknown: errors.SubmissionUnknownError,
  job_failed: errors.JobFailedError,
  job_cancelled: errors.JobCancelledError,
  job_timed_out: errors.JobTimedOutError,
  job_deadline: errors.JobDeadlineError,
  job_expired: errors.JobExpiredError,
  job_not_found: errors.JobNotFoundError,
  job_output: errors.JobOutputError,
  stream_in_use: errors.StreamInUseError,
  stream_gap: errors.StreamGapError,
  buffer_overflow: errors.BufferOverflowError,
  hook: errors.HookError,
  skipped: errors.SkippedError,
} satisfies Readonly<Record<Exclude<keyof ErrorsByCode, 'aborted' | 'client_closed'>, unknown>> as unknown as Readonly<
  Record<string, Class>
>;
const http = ['authentication', 'not_found', 'rate_limit', 'body_too_large'];

const context = { operation: 'status', endpointId: 'e', jobId: 'j', tag: 't', accepted: 'no', cause: new Error('why') };
const make = (type: Class) => new type('words', context, { status: 500, retryable: true });

describe('errors', () => {
  it('have the codes of the table, of the type and of ErrorsByCode', () => {
    const source = readFileSync(new URL('../../src/errors/codes.ts', import.meta.url), 'utf8');
    const table = Object.fromEntries(
      Array.from(source.matchAll(/\| `(\w+)` \| `(\w+)` \|/g), ([, code, name]) => [code, name]),
    );
    const type = Array.from(source.matchAll(/^ {2}\| '(\w+)'/gm), ([, code]) => code);
    const made = Object.fromEntries(Object.entries(classes).map(([code, own]) => [code, own.name]));
    expect({ ...made, aborted: 'AbortedError', client_closed: 'ClientClosedError' }).toStrictEqual(table);
    expect(type).toStrictEqual(Object.keys(table));
  });

  it('have the codes that docs/errors.md lists', () => {
    const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const listed = Array.from(page.matchAll(/^\| `(\w+)`\s+\| `(\w+Error)`/gm), ([, code, name]) => [code, name]);
    const made = Object.entries(classes).map(([code, own]) => [code, own.name]);
    expect(Object.fromEntries(listed)).toStrictEqual({
      ...Object.fromEntries(made),
      aborted: 'AbortedError',
      client_closed: 'ClientClosedError',
    });
  });

  it.each(Object.entries(classes))('S22 %s has its code, its name and all members of the context', (code, type) => {
    const error = make(type);
    expect(Object.fromEntries(Object.entries(error))).toStrictEqual({
      name: type.name,
      code,
      retryable: true,
      operation: 'status',
      endpointId: 'e',
      jobId: 'j',
      tag: 't',
      accepted: 'no',
      status: 500,
    });
    expect(error.message).toBe('words');
    expect(error.stack).toContain('words');
  });

  it.each(Object.entries(classes))('S22 %s is an instance of its class, its bases, and no other', (code, type) => {
    const error = make(type);
    const is = Object.keys(classes).filter((other) => error instanceof classes[other]!);
    expect(is.sort()).toStrictEqual([code, ...(http.includes(code) ? ['http'] : [])].sort());
    expect(error).toBeInstanceOf(RunpodError);
    expect(error).toBeInstanceOf(Error);
    expect(Object.keys(classes).filter((other) => isRunpodError(error, other as 'http'))).toStrictEqual([code]);
    expect(isRunpodError(error)).toBe(true);
  });

  it('S22 ClientClosedError is an abort with a code of its own', () => {
    const error: unknown = new errors.ClientClosedError({ operation: 'run', accepted: 'no' });
    expect(error).toMatchObject({ name: 'AbortError', code: 'client_closed', message: 'the client is closed' });
    expect(error).toBeInstanceOf(errors.ClientClosedError);
    expect(error).toBeInstanceOf(errors.AbortedError);
    expect(new errors.AbortedError({ operation: 'run' })).not.toBeInstanceOf(errors.ClientClosedError);
    expect([isRunpodError(error, 'client_closed'), isRunpodError(error, 'aborted')]).toEqual([true, false]);
  });

  it('S22 AbortedError has the name of the platform’s own error', () => {
    const error = new errors.AbortedError({ operation: 'run', cause: 'reason' });
    expect(error).toMatchObject({ name: 'AbortError', code: 'aborted', message: 'run was aborted', cause: 'reason' });
    expect(error).toBeInstanceOf(errors.AbortedError);
    expect(isRunpodError(error, 'aborted')).toBe(true);
  });

  it('have no members for what is not known, and are not retryable by default', () => {
    const error = new RunpodError('words', { operation: 'run', jobId: undefined, tag: undefined });
    expect(Object.entries(error)).toStrictEqual([
      ['name', 'RunpodError'],
      ['code', 'runpod'],
      ['retryable', false],
      ['operation', 'run'],
    ]);
    expect('cause' in error).toBe(false);
  });

  it('S21 keep the cause out of JSON and of copies, and print without internals', () => {
    const error = new errors.HttpError('words', { operation: 'status', cause: new Error('inner') }, { status: 500 });
    expect(error.cause).toStrictEqual(new Error('inner'));
    expect(Object.getOwnPropertyDescriptor(error, 'cause')?.enumerable).toBe(false);
    expect(JSON.parse(JSON.stringify(error))).toStrictEqual({
      name: 'HttpError',
      code: 'http',
      retryable: false,
      operation: 'status',
      status: 500,
    });
    const shown = inspect(error);
    expect(shown).toMatch(/^HttpError: words\n/);
    expect(shown).toContain('[cause]: Error: inner');
    expect(shown).not.toMatch(/Symbol|brand|undefined/);
  });

  it('S22 are instances across two copies of the library', async () => {
    vi.resetModules();
    const copy = await import('../../src/errors/index.js');
    expect(copy.HttpError).not.toBe(errors.HttpError);
    const theirs = new copy.RateLimitError('words', { operation: 'run' }, { status: 429 });
    expect(theirs).toBeInstanceOf(errors.RateLimitError);
    expect(theirs).toBeInstanceOf(errors.HttpError);
    expect(theirs).toBeInstanceOf(errors.RunpodError);
    expect(theirs).not.toBeInstanceOf(errors.NotFoundError);
    expect(isRunpodError(theirs, 'rate_limit')).toBe(true);
    const ours = new errors.RateLimitError('words', { operation: 'run' }, { status: 429 });
    expect(ours).toBeInstanceOf(copy.HttpError);
    expect(copy.isRunpodError(ours)).toBe(true);
  });

  it('S22 can be extended by users', () => {
    class MyError extends errors.HttpError {}
    class Branded extends errors.HttpError {
      static override readonly brand = 'QuotaExceededError';
      static override readonly code = 'quota_exceeded';
    }
    const mine = new MyError('words', { operation: 'run' }, { status: 402 });
    const plain = new errors.HttpError('words', { operation: 'run' }, { status: 402 });
    expect(mine).toBeInstanceOf(MyError);
    expect(mine).toBeInstanceOf(errors.HttpError);
    expect(plain).not.toBeInstanceOf(MyError);
    const branded = new Branded('words', { operation: 'run' }, { status: 402 });
    expect(branded).toMatchObject({ name: 'QuotaExceededError', code: 'quota_exceeded' });
    expect(branded).toBeInstanceOf(errors.HttpError);
    expect(plain).not.toBeInstanceOf(Branded);
  });

  it.each([null, undefined, 'x', 5, {}, [], new Error('x'), () => 1])(
    'do not recognise %o as an error of the library',
    (value) => {
      expect(value instanceof RunpodError).toBe(false);
      expect(isRunpodError(value)).toBe(false);
    },
  );

  it('are narrowed by their code', () => {
    const error: unknown = make(errors.JobFailedError as unknown as Class);
    if (isRunpodError(error, 'job_failed')) expectTypeOf(error).toEqualTypeOf<errors.JobFailedError>();
    if (isRunpodError(error)) expectTypeOf(error).toEqualTypeOf<RunpodError>();
    expect(isRunpodError(error, 'job_failed')).toBe(true);
  });
});

import { readFileSync } from 'node:fs';
import { Logger, type ArgumentsHost } from '@nestjs/common';
import { describe, expect, test, vi } from 'vitest';
import { ValidationError, type RunpodError } from 'runpod-rx';
import { RunpodExceptionFilter } from 'runpod-rx/nestjs';
import * as errors from '../../src/errors/index.js';
import { ERROR_ANSWERS, errorBody } from '../../src/nestjs/errorAnswers.js';

/** An error of each code, with everything in it that a client must not see. */
const internals = 'key-of-the-server https://example.com/hook?token=secret 10.0.0.1 worker-7';
const all = Object.values(errors as Readonly<Record<string, unknown>>).flatMap((One) => {
  const { code, prototype } = Object(One) as { readonly code?: string; readonly prototype: RunpodError };
  const members = {
    message: internals,
    endpointId: internals,
    jobId: 'job-1',
    tag: internals,
    cause: internals,
    issues: [],
  };
  return code ? [Object.assign(Object.create(prototype) as RunpodError, { code, ...members })] : [];
});

/** The answer of the filter, through an adapter of Nest's. */
function answerTo(exception: RunpodError, headersSent = false) {
  const told: { status?: number; body?: unknown; headers: Record<string, string>; ended?: true } = { headers: {} };
  const adapter = {
    isHeadersSent: () => headersSent,
    setHeader: (_: unknown, name: string, value: string) => (told.headers[name] = value),
    reply: (_: unknown, body: unknown, status: number) => Object.assign(told, { body, status }),
    end: () => (told.ended = true),
  };
  const host = {
    getType: () => 'http',
    switchToHttp: () => ({ getResponse: () => ({}) }),
    getArgByIndex: () => ({}),
  } as unknown as ArgumentsHost;
  new RunpodExceptionFilter(adapter as never).catch(exception, host);
  return told;
}

/** What the page of the documentation says of each code. */
function documented(): Record<string, number> {
  const page = readFileSync(new URL('../../docs/nest.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| (\d{3}) +\| (.*?) +\|/gm)];
  return Object.fromEntries(
    rows.flatMap(([, status, codes]) => [...codes!.matchAll(/`(\w+)`/g)].map(([, code]) => [code, Number(status)])),
  );
}

Logger.overrideLogger(false);

test('every code has a status, and the page of the documentation says which', () => {
  const codes = new Set(all.map(({ code }) => code));
  expect(new Set(Object.keys(ERROR_ANSWERS))).toEqual(codes);
  expect(documented()).toEqual(
    Object.fromEntries(Object.entries(ERROR_ANSWERS).map(([code, [status]]) => [code, status])),
  );
  // Where its issues are not the client's: see below.
  const expected = { ...documented(), validation: 500 };
  expect(Object.fromEntries(all.map((error) => [error.code, answerTo(error).status]))).toEqual(expected);
});

test.each(all.map((error) => [error.code, error] as const))('%s: nothing but what a client may know', (code, error) => {
  const { body, status } = answerTo(error);
  expect(Object.keys(body as object).sort()).toEqual(
    ['accepted', 'code', 'issues', 'jobId', 'message', 'statusCode'].sort(),
  );
  expect(body).toMatchObject({ code, statusCode: status, jobId: 'job-1' });
  for (const word of internals.split(' ')) expect(JSON.stringify(body)).not.toContain(word);
});

describe('validation', () => {
  const invalid = (field: string) =>
    new ValidationError(
      internals,
      { operation: 'run', accepted: 'no' },
      {
        issues: [{ field, given: internals, rule: 'must be text' }],
      },
    );

  test.each(['input', 'input.prompt', 'body', 'ref.id', 'id'])('of %s is the client’s mistake', (field) => {
    const { body, status } = answerTo(invalid(field));
    expect(status).toBe(400);
    expect(body).toMatchObject({ issues: [{ field, rule: 'must be text' }], accepted: 'no' });
    expect(JSON.stringify(body)).not.toContain('worker-7');
  });

  test.each(['policy.ttl', 'webhook', 'inputs', 'every'])('of %s is the server’s', (field) => {
    const { body, status } = answerTo(invalid(field));
    expect([status, body]).toMatchObject([500, { code: 'validation', message: 'Internal server error' }]);
  });
});

test('a time to wait is passed on', () => {
  const busy = Object.assign(
    all.find(({ code }) => code === 'rate_limit')!,
    { retryAfter: 1500 },
  );
  expect(answerTo(busy)).toMatchObject({ status: 503, headers: { 'Retry-After': '2' } });
  expect(answerTo(busy, true)).toEqual({ ended: true, headers: {} });
});

test('a code that is not known is an error of the server', () => {
  expect(errorBody(Object.assign(all[0]!, { code: 'of_tomorrow' }))).toMatchObject({ statusCode: 500 });
  expect(errorBody(new Error(internals))).toEqual({
    statusCode: 500,
    message: 'Internal server error',
    code: 'internal',
  });
});

test('a gateway of WebSockets tells its client, and other transports go on with the filter of Nest', () => {
  const emit = vi.fn();
  const filter = new RunpodExceptionFilter();
  const host = (type: string) =>
    ({ getType: () => type, switchToWs: () => ({ getClient: () => ({ emit }) }) }) as unknown as ArgumentsHost;
  const failed = all.find(({ code }) => code === 'job_failed')!;
  filter.catch(failed, host('ws'));
  expect(emit).toHaveBeenCalledExactlyOnceWith('exception', expect.objectContaining({ code: 'job_failed' }));
  // What returns nothing is what Nest goes on from.
  filter.catch(failed, host('rpc'));
  expect(emit).toHaveBeenCalledOnce();
});

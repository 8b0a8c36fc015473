import { describe, expect, it } from 'vitest';
import { JobExpiredError, JobNotFoundError } from '../../src/errors/index.js';
import { jobMissingError, lagPause, lagUntil } from '../../src/http/submissionLag.js';
import type { Reply } from '../../src/types/Transport.js';
import { members } from '../fixtures/members.js';
import { life } from '../fixtures/snapshots.js';

const reply = (status: number, text = ''): Reply => ({ status, headers: {}, text });

describe('lagUntil', () => {
  it.each(['status', 'cancel', 'stream', 'retry', 'anything/else'])(
    'S18 is ten seconds after the submission for %s',
    (operation) => {
      expect(lagUntil(operation, 5_000)).toBe(15_000);
      expect(lagUntil(operation, 0)).toBe(10_000);
    },
  );

  it('S18 is never for a job that this client did not submit', () => {
    expect(lagUntil('status', undefined)).toBe(-Infinity);
  });

  it('S18 is never for a held read, which follows a successful read', () => {
    expect(lagUntil('status-sync', 5_000)).toBe(-Infinity);
  });
});

describe('lagPause', () => {
  it('S18 is half a second until ten seconds after the submission, and then nothing', () => {
    const until = lagUntil('status', 5_000);
    expect(lagPause(reply(404), 5_000, until)).toBe(500);
    expect(lagPause(reply(404), 14_999, until)).toBe(500);
    expect(lagPause(reply(404), 15_000, until)).toBeUndefined();
    expect(lagPause(reply(404), 15_001, until)).toBeUndefined();
  });

  it('S18 is nothing for a job whose submission is not known', () => {
    expect(lagPause(reply(404), 0, lagUntil('status', undefined))).toBeUndefined();
  });

  it.each([200, 400, 403, 405, 410, 429, 500])('S18 is nothing for a %i', (status) => {
    expect(lagPause(reply(status), 0, 10_000)).toBeUndefined();
  });

  it.each<[string, string, number | undefined]>([
    ['that the job is missing', '{"error":"job not found"}', 500],
    ['that the request does not exist', 'request does not exist', 500],
    ['that the endpoint is missing', '{"error":"Endpoint not found"}', undefined],
    ['in plain text that the endpoint is missing', 'endpoint does not exist', undefined],
  ])('S18 goes by what the 404 says: %s', (_, text, pause) => {
    expect(lagPause(reply(404, text), 0, 10_000)).toBe(pause);
  });
});

describe('jobMissingError', () => {
  const at = { operation: 'status', endpointId: 'e', jobId: 'j', tag: 't' };

  it('S18 S17 is JobExpiredError, with the last snapshot, for a job that this client has known', () => {
    const error = jobMissingError('j', at, { known: true, last: life.p });
    expect(error).toBeInstanceOf(JobExpiredError);
    expect(error.message).toBe('job j is gone: its ttl, or the time its result is kept, is over');
    expect(members(error)).toStrictEqual({
      name: 'JobExpiredError',
      code: 'job_expired',
      retryable: false,
      ...at,
      snapshot: life.p,
    });
    expect(members(error).snapshot).toBe(life.p);
  });

  it('S18 is JobExpiredError without a snapshot where this client has seen none', () => {
    const error = jobMissingError('j', at, { known: true, last: undefined });
    expect(members(error)).toStrictEqual({ name: 'JobExpiredError', code: 'job_expired', retryable: false, ...at });
  });

  it.each([
    ['has no entry', undefined],
    ['the service has not confirmed', { known: false, last: undefined }],
  ])('S18 is JobNotFoundError for a job that %s', (_, job) => {
    const error = jobMissingError('j', at, job);
    expect(error).toBeInstanceOf(JobNotFoundError);
    expect(error.message).toBe('there is no job j on endpoint e: check both ids and the API key');
    expect(members(error)).toStrictEqual({
      name: 'JobNotFoundError',
      code: 'job_not_found',
      retryable: false,
      ...at,
    });
  });

  it('S22 has a question mark in place of an endpoint that is not known', () => {
    const error = jobMissingError('j', { operation: 'status' }, undefined);
    expect(error.message).toBe('there is no job j on endpoint ?: check both ids and the API key');
  });
});

import { describe, expect, it } from 'vitest';
import { isTerminal, isTerminalStatus, parseSnapshot, snapshotOf } from '../../src/protocol/snapshot.js';
import { failureForms, type FailureForm } from '../fixtures/failures.js';
import { strangeReplies } from '../fixtures/httpErrors.js';
import { jobReplies, type JobReply } from '../fixtures/jobs.js';
import { job } from '../fixtures/snapshots.js';

describe('parseSnapshot', () => {
  it.each<[string, JobReply]>(Object.entries(jobReplies))('reads %s', (_, { text, id, snapshot }) => {
    expect(parseSnapshot(text, { id })).toStrictEqual({ value: { ...snapshot, raw: JSON.parse(text) } });
  });

  it.each(Object.entries(strangeReplies))('S19 says what is wrong with %s', (_, { text, issue }) => {
    expect(parseSnapshot(text)).toStrictEqual({ issue });
  });

  it('S19 quotes only the beginning of a text that is not JSON', () => {
    expect(parseSnapshot('x'.repeat(1_000))).toStrictEqual({ issue: `is not a JSON object: ${'x'.repeat(80)}…` });
  });

  it.each<[string, unknown]>([
    ['no id', undefined],
    ['null', null],
    ['an empty id', ''],
    ['the id that was asked for', 'asked'],
  ])('takes an answer with %s as one about the job that was asked for', (_, id) => {
    expect(parseSnapshot(JSON.stringify({ id, status: 'IN_QUEUE' }), { id: 'asked' })).toMatchObject({
      value: { id: 'asked' },
    });
  });

  it.each<[string, unknown]>([
    ['another id', 'other'],
    ['an id in another case', 'ASKED'],
    ['a number', 7],
    ['a list', ['asked']],
    ['an object', { asked: true }],
  ])('S19 does not take an answer with %s', (_, id) => {
    expect(parseSnapshot(JSON.stringify({ id, status: 'COMPLETED' }), { id: 'asked' })).toStrictEqual({
      issue: 'is about another job',
    });
  });

  it('S17 reads an unknown status as UNKNOWN, and keeps the fields of the answer', () => {
    const raw = { id: 'j', status: 'PAUSED', output: 3, error: 'x' };
    expect(parseSnapshot(JSON.stringify(raw))).toStrictEqual({
      value: { id: 'j', status: 'UNKNOWN', rawStatus: 'PAUSED', progress: 3, raw },
    });
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'S17 reads %s, which every object has, as UNKNOWN',
    (status) => {
      expect(parseSnapshot(JSON.stringify({ id: 'j', status }))).toMatchObject({
        value: { status: 'UNKNOWN', rawStatus: status },
      });
    },
  );

  it('S3 accepts an id without a status where it is lenient, and never a job without an id', () => {
    expect(parseSnapshot('{"id":"j"}', { lenient: true })).toStrictEqual({
      value: { id: 'j', status: 'UNKNOWN', rawStatus: '', raw: { id: 'j' } },
    });
    expect(parseSnapshot('{"id":"j"}')).toStrictEqual({ issue: 'has no status' });
    expect(parseSnapshot('{"error":"no"}', { id: 'asked', lenient: true })).toStrictEqual({ issue: 'says: no' });
    expect(parseSnapshot('{}', { lenient: true })).toStrictEqual({ issue: 'has no id' });
  });

  it.each(['.', '..', '../x', 'a/b', 'a\\b', 'a b', 'a\n', 'a%2fb', 'a?b', '\ud800', 'x'.repeat(501)])(
    'S19 does not take %j for the id of a job: a request for it would go elsewhere, or nowhere',
    (id) => {
      const parsed = parseSnapshot(JSON.stringify({ id, status: 'IN_QUEUE' }), { lenient: true });
      expect(parsed).toStrictEqual({
        issue: expect.stringMatching(/^has the id ".*", by which no job can be asked for$/) as string,
      });
    },
  );

  it.each(['job.1', 'queue:123', 'aGVsbG8=', 'a..b', '...', 'x'.repeat(500)])(
    'takes the id %s of another server',
    (id) => {
      expect(parseSnapshot(JSON.stringify({ id, status: 'IN_QUEUE' }))).toMatchObject({ value: { id } });
    },
  );

  it('reads RUNNING, the documentation’s other name, as IN_PROGRESS', () => {
    expect(parseSnapshot('{"id":"j","status":"RUNNING"}')).toMatchObject({
      value: { status: 'IN_PROGRESS', rawStatus: 'RUNNING' },
    });
  });

  it.each([
    ['TIMED_OUT without an error', { status: 'TIMED_OUT' }, {}],
    ['TIMED_OUT with one', { status: 'TIMED_OUT', error: 'late' }, { error: { message: 'late', raw: 'late' } }],
    ['CANCELLED with an output', { status: 'CANCELLED', output: 1 }, { output: 1 }],
    ['IN_PROGRESS with falsy progress', { status: 'IN_PROGRESS', output: 0 }, { progress: 0 }],
    ['IN_QUEUE with what a late update left', { status: 'IN_QUEUE', output: null }, { progress: null }],
    ['COMPLETED with null', { status: 'COMPLETED', output: null }, { output: null }],
    ['COMPLETED with an error beside', { status: 'COMPLETED', output: 1, error: 'x' }, { output: 1 }],
    ['counts that are no numbers', { status: 'IN_QUEUE', delayTime: '5', retries: null, workerId: 7 }, {}],
  ])('reads %s', (_, body, parsed) => {
    const raw = { id: 'j', ...body };
    expect(snapshotOf(raw)).toStrictEqual({
      value: { id: 'j', status: body.status, rawStatus: body.status, ...parsed, raw },
    });
  });

  it('keeps big integers with the endpoint’s own parser', () => {
    const parse = (text: string): unknown =>
      JSON.parse(text.replace(/:(\d{16,})/g, ':"$1n"'), (_, value: unknown) =>
        typeof value === 'string' && /^\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value,
      );
    const text = '{"id":"j","status":"COMPLETED","output":{"seed":12345678901234567890}}';
    expect(parseSnapshot(text, { parse })).toMatchObject({ value: { output: { seed: 12345678901234567890n } } });
  });

  it('S19 reports an answer as unreadable where the endpoint’s parser throws', () => {
    const parse = (): never => {
      throw new Error('no');
    };
    expect(parseSnapshot('{"id":"j","status":"IN_QUEUE"}', { parse })).toStrictEqual({
      issue: 'is not a JSON object: {"id":"j","status":"IN_QUEUE"}',
    });
  });
});

describe('failures', () => {
  it.each<[string, FailureForm]>(Object.entries(failureForms))('are read from %s', (_, form) => {
    const body = { id: 'j', status: 'FAILED', ...('error' in form && { error: form.error }) };
    expect(snapshotOf(body)).toStrictEqual({
      value: { id: 'j', status: 'FAILED', rawStatus: 'FAILED', error: { ...form.failure, raw: form.error }, raw: body },
    });
  });
});

describe('isTerminal', () => {
  it.each([
    ['COMPLETED', true],
    ['FAILED', true],
    ['CANCELLED', true],
    ['TIMED_OUT', true],
    ['IN_QUEUE', false],
    ['IN_PROGRESS', false],
    ['RUNNING', false],
    ['completed', false],
    ['SOMETHING_NEW', false],
  ])('S17 says of %s: %s', (status, terminal) => {
    expect(isTerminalStatus(status)).toBe(terminal);
    expect(isTerminal(job(status))).toBe(terminal);
  });
});

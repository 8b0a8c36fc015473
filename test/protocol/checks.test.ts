import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { wait as checkWait } from '../../src/protocol/callChecks.js';
import { duration } from '../../src/protocol/checkOptions.js';
import { checkId, issuesText } from '../../src/protocol/checks.js';
import { jobBody } from '../../src/protocol/jobBody.js';

const DAYS_7 = 604_800_000;
const MAX_TIMER = 2_147_483_647;

/** The issues of a submission in one sentence; empty where there are none. */
function wrong(request: unknown, operation: 'run' | 'runsync' = 'run', allowEmptyInput?: boolean): string {
  return issuesText(jobBody(request as never, operation, { allowEmptyInput }).issues);
}

const policyOf = (policy: unknown) => ({ input: { x: 1 }, policy });

describe('S20 jobBody', () => {
  it('writes the request as it is', () => {
    const request = {
      input: { prompt: 'ä', n: [1, null] },
      webhook: 'https://example.com/hook',
      policy: { executionTimeout: 5_000, ttl: 10_000, lowPriority: true },
      s3Config: { accessId: 'a', accessSecret: 'b', bucketName: 'c', endpointUrl: 'd' },
    };
    expect(jobBody(request, 'run')).toStrictEqual({ body: JSON.stringify(request), issues: [] });
  });

  class Input {
    x = 1;
  }

  it.each<[string, unknown, string]>([
    ['a list', [1], 'an array'],
    ['text', 'hello', 'hello'],
    ['null', null, 'null'],
    ['nothing', undefined, 'undefined'],
    ['a number', 5, '5'],
    ['a date', new Date(0), 'an object'],
    ['a map', new Map([[1, 2]]), 'an object'],
    ['an object of a class', new Input(), 'an object'],
  ])('refuses an input that is no plain object: %s', (_, input, given) => {
    expect(wrong({ input })).toMatch(`input is ${given}, but must be a plain object`);
  });

  it.each<[string, object]>([
    ['turns into a list', { input: { x: 1, toJSON: () => [1] } }],
    ['turns into nothing', { input: { toJSON: () => undefined } }],
    ['has a member of that name that does nothing', { input: { x: 1, toJSON: 7 } }],
    ['is of a request that turns into another', { input: { x: 1 }, toJSON: () => ({ input: {} }) }],
  ])('refuses an input that would be sent in another form than was checked: it %s', (_, request) => {
    expect(wrong(request)).toMatch('input is an object, but must be a plain object');
  });

  it.each<[string, unknown]>([
    ['an object', { x: 1 }],
    ['one without a prototype', Object.assign(Object.create(null) as object, { x: 1 })],
    ['one of another realm', runInNewContext('({ x: 1 })')],
  ])('takes %s', (_, input) => {
    expect(jobBody({ input: input as object }, 'run')).toStrictEqual({ body: '{"input":{"x":1}}', issues: [] });
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['text', 'hello'],
  ])('says that input is missing where the request is %s', (_, request) => {
    expect(wrong(request)).toMatch('input is undefined, but must be a plain object');
  });

  it.each([{}, { x: undefined }])('refuses an input that is empty as JSON, unless allowed: %o', (input) => {
    expect(wrong({ input })).toBe(
      'input is {}, but must not be empty: workers do not report such a job (allowEmptyInput sends it)',
    );
    expect(wrong({ input }, 'run', true)).toBe('');
  });

  it('refuses an input that is not JSON', () => {
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    expect(wrong({ input: circle })).toBe(
      'input.self is an object within itself, but must be what JSON can carry: send a tree',
    );
    expect(wrong({ input: { n: 1n } })).toBe(
      'input.n is a bigint, but must be what JSON can carry: send text, or leave it out',
    );
  });

  it.each<[string, unknown, string]>([
    ['null', null, 'policy is null, but must be an object'],
    ['text', 'fast', 'policy is text, but must be an object'],
  ])('refuses a policy that is no object: %s', (_, policy, text) => {
    expect(wrong(policyOf(policy))).toBe(text);
  });

  it.each([
    ['executionTimeout', 5_000, DAYS_7],
    ['ttl', 10_000, DAYS_7],
  ])('bounds policy.%s to %i – %i ms', (name, min, max) => {
    const rule = `but must be a number of milliseconds from ${min} to ${max}`;
    const given = (value: unknown) => wrong(policyOf({ [name]: value }));
    expect([given(min), given(max), given(undefined)]).toStrictEqual(['', '', '']);
    expect(given(min - 1)).toBe(`policy.${name} is ${min - 1}, ${rule}`);
    expect(given(max + 1)).toBe(`policy.${name} is ${max + 1}, ${rule}`);
    for (const value of [NaN, Infinity, String(min), null]) {
      expect(given(value)).toBe(`policy.${name} is ${String(value)}, ${rule}`);
    }
  });

  it.each([
    ['run', 10_485_760],
    ['runsync', 20_971_520],
  ] as const)('lets a %s of %i bytes through, and no more', (operation, max) => {
    const fixed = '{"input":{"x":""}}'.length;
    const ascii = 'x'.repeat(max - fixed);
    const fits = jobBody({ input: { x: ascii } }, operation);
    expect(fits.issues).toStrictEqual([]);
    expect(fits.body.length).toBe(max);
    const rule = `but must be at most ${max}: store large data elsewhere and send a URL`;
    expect(wrong({ input: { x: `${ascii}x` } }, operation)).toBe(`body is ${max + 1} bytes, ${rule}`);
  });

  it('counts a body in bytes of UTF-8, not in characters', () => {
    const fixed = '{"input":{"x":""}}'.length;
    const room = 10_485_760 - fixed;
    const euros = '€'.repeat(Math.floor(room / 3)) + 'x'.repeat(room % 3);
    expect(wrong({ input: { x: euros } })).toBe('');
    expect(wrong({ input: { x: `${euros}x` } })).toMatch('body is 10485761 bytes');
  });

  it('names each wrong field, with its value and the rule', () => {
    const { issues } = jobBody({ input: [], policy: { ttl: 1, executionTimeout: 2 } }, 'run');
    expect(issues).toStrictEqual([
      { field: 'input', given: 'an array', rule: 'must be a plain object, as in run({ input: { … } })' },
      {
        field: 'policy.executionTimeout',
        given: '2',
        rule: `must be a number of milliseconds from 5000 to ${DAYS_7}`,
      },
      { field: 'policy.ttl', given: '1', rule: `must be a number of milliseconds from 10000 to ${DAYS_7}` },
    ]);
  });

  it('quotes only the beginning of a long value', () => {
    expect(wrong({ input: 'x'.repeat(1_000) }).length).toBeLessThan(200);
  });
});

describe('S20 checkWait', () => {
  it.each([1_000, 300_000])('takes %s', (wait) => {
    expect(checkWait(wait, 'wait')).toStrictEqual([]);
  });

  it.each([999, 300_001, NaN, '2000', null, -1])('refuses %s', (wait) => {
    expect(checkWait(wait, 'wait')).toStrictEqual([
      { field: 'wait', given: String(wait), rule: 'must be a number of milliseconds from 1000 to 300000' },
    ]);
  });
});

describe('S2 duration', () => {
  it('accepts durations that a timer can keep', () => {
    for (const value of [0, MAX_TIMER, 0.5]) expect(duration(value, 'every')).toStrictEqual([]);
  });

  it.each([-1, MAX_TIMER + 1, Infinity])('refuses %s, which a timer cannot keep', (value) => {
    const rule = `must be a number of milliseconds from 0 to ${MAX_TIMER}`;
    expect(duration(value, 'every')).toStrictEqual([{ field: 'every', given: String(value), rule }]);
  });
});

describe('S20 checkId', () => {
  it.each([
    'a',
    'sync-0965434e-ff63-4a1c-a9f9-5b705f66e176-u2',
    'local_test',
    'batch_01j9abc123',
    'eaebd6e7-6a92-4bb8-a911-f996ac5ea99d',
  ])('takes %s', (id) => {
    expect(checkId('job id', id)).toStrictEqual([]);
  });

  it.each<[unknown, string]>([
    ['', 'empty'],
    ['a/b', 'a/b'],
    ['../x', '../x'],
    ['a b', 'a b'],
    ['a\n', 'a\n'],
    ['a?b', 'a?b'],
    ['ä', 'ä'],
    [undefined, 'undefined'],
    [5, '5'],
    [['a'], 'an array'],
  ])('refuses %j', (id, given) => {
    expect(checkId('job id', id)).toStrictEqual([
      { field: 'job id', given, rule: 'must consist of letters, digits, "-" and "_"' },
    ]);
  });
});

describe('issuesText', () => {
  it('joins the issues to one sentence', () => {
    const issue = { field: 'a', given: '1', rule: 'must be 2' };
    expect(issuesText([issue, { ...issue, field: 'b' }])).toBe('a is 1, but must be 2; b is 1, but must be 2');
    expect(issuesText([])).toBe('');
  });
});

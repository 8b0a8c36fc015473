import { describe, expect, it } from 'vitest';
import { parseHealth, parsePurge } from '../../src/protocol/health.js';
import { healthForms, purgeForms, type OverviewForm } from '../fixtures/overview.js';

describe('parseHealth', () => {
  it.each<[string, OverviewForm]>(Object.entries(healthForms))('reads an answer %s', (_, { text, value }) => {
    expect(parseHealth(text)).toStrictEqual({ value: { ...value, raw: JSON.parse(text) } });
  });

  it.each(['', '[]', '{}', '{"jobs":{}}', '{"workers":{}}', '{"jobs":[],"workers":{}}', '{"jobs":{},"workers":3}'])(
    'S19 says what %j lacks',
    (text) => {
      expect(parseHealth(text)).toStrictEqual({ issue: 'has no counts of jobs and workers' });
    },
  );

  it('does not mix the counts of two answers', () => {
    const first = parseHealth('{"jobs":{"inQueue":9},"workers":{"idle":9}}');
    expect(parseHealth('{"jobs":{},"workers":{}}')).toMatchObject({
      value: { jobs: { inQueue: 0 }, workers: { idle: 0 } },
    });
    expect(first).toMatchObject({ value: { jobs: { inQueue: 9 } } });
  });
});

describe('parsePurge', () => {
  it.each<[string, OverviewForm]>(Object.entries(purgeForms))('reads an answer %s', (_, { text, value }) => {
    expect(parsePurge(text)).toStrictEqual({ value: { ...value, raw: JSON.parse(text) } });
  });

  it.each(['', '{}', '{"removed":"2","status":"completed"}', '[]'])('S19 says what %j lacks', (text) => {
    expect(parsePurge(text)).toStrictEqual({ issue: 'does not say how many jobs were removed' });
  });
});

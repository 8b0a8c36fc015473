import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createRunpod, runpod } from 'runpod-rx';
import type { CallRequest, JobOptions, JobRequest, Link, RunOptions, RunpodOptions } from 'runpod-rx';
import { script } from '../support/world.js';

/** An object that has everything by inheritance. */
const inheriting = <T extends object>(defaults: T) => Object.create(defaults) as T;

/** The same as an instance of a class with getters. */
function withGetters<T extends object>(values: T): T {
  const getters = Object.entries(values).map(([name, value]) => [name, { get: () => value as unknown }] as const);
  return inheriting(Object.defineProperties({}, Object.fromEntries(getters)) as T);
}

describe.each([
  ['Object.create(defaults)', inheriting],
  ['a class with getters', withGetters],
])('S20 options by %s', (_, make) => {
  const request = make<JobRequest>({
    input: { x: 1 },
    webhook: 'https://example.org/hook',
    policy: make({ ttl: 20_000 }),
    s3Config: make({ accessId: 'a', accessSecret: 'b', bucketName: 'c', endpointUrl: 'd' }),
  });
  const body = {
    input: { x: 1 },
    webhook: 'https://example.org/hook',
    policy: { ttl: 20_000 },
    s3Config: { accessId: 'a', accessSecret: 'b', bucketName: 'c', endpointUrl: 'd' },
  };
  const reply = () => ({ body: { id: 'job-1', status: 'COMPLETED', output: 1 } });

  it('are the options of the client', () => {
    const sent: CallRequest[] = [];
    const link: Link = (given) => {
      sent.push(given);
      return of({ status: 200, headers: {}, text: '{"id":"a","status":"COMPLETED"}' });
    };
    const options = { apiKey: 'key', baseUrl: 'https://proxy.example/v2', links: [link] };
    runpod(make<RunpodOptions>(options)).endpoint('e').status('a').subscribe();
    createRunpod(make({ ...options, transport: () => of() }))
      .endpoint('e')
      .status('a')
      .subscribe();
    expect(sent.map(({ url }) => url)).toEqual(Array(2).fill('https://proxy.example/v2/e/status/a'));
  });

  it('are the whole request, also with a timeout of the job', () => {
    const made = script(reply);
    made.see(made.endpoint.run(request));
    made.see(made.endpoint.job(request, { timeout: 60_000 }).output$);
    made.until(100_000);
    expect(JSON.parse(made.sent[0]?.body ?? '')).toEqual(body);
    expect(JSON.parse(made.sent[1]?.body ?? '')).toEqual({
      ...body,
      policy: { ttl: 20_000, executionTimeout: 60_000 },
    });
  });

  it('are the options of calls and jobs', () => {
    const made = script(reply);
    const options: RunOptions = { headers: { 'x-trace': '1' }, allowEmptyInput: true };
    made.see(made.endpoint.run({ input: {} }, make(options)));
    made.see(made.endpoint.job({ input: {} }, make<JobOptions>(options)).output$);
    const asked = made.see(
      made.endpoint.request('openai/v1/models', make({ headers: { 'x-trace': '1' }, query: { q: '1' } })),
    );
    made.until(100_000);
    expect(asked.error).toBeUndefined();
    expect(made.sent.map(({ headers }) => headers['x-trace'])).toEqual(['1', '1', '1']);
    expect(made.sent[2]?.url).toMatch(/\?q=1$/);
  });

  it('are refused with unknown names, too', () => {
    const made = script(reply);
    const seen = made.see(made.endpoint.run(inheriting({ input: { x: 1 }, polcy: {} }) as never));
    made.until(1_000);
    expect(seen.error).toMatchObject({ code: 'validation' });
    expect(made.sent).toEqual([]);
  });
});

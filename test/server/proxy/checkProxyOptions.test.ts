import { NEVER } from 'rxjs';
import { expect, test } from 'vitest';
import { createRunpod } from 'runpod-rx';
import { createProxy, type ProxyOptions } from 'runpod-rx/server';

const client = createRunpod({ apiKey: 'key', transport: () => NEVER });
const create = (origins: unknown) => () =>
  createProxy({ client, endpoints: {}, user: () => 'ann', origins } as ProxyOptions);
const RULE = 'must be an origin without a path, such as https://app.example.com';

test.each([
  [
    'https://app.example',
    'origins is https://app.example: it must be a list of origins, such as https://app.example.com',
  ],
  [['https://a.example', 'https://app.example/'], `origins[1] is https://app.example/: it ${RULE}`],
  [['app.example'], `origins[0] is app.example: it ${RULE}`],
  [['*'], `origins[0] is *: it ${RULE}`],
  [[undefined], `origins[0] is undefined: it ${RULE}`],
])('an origin that cannot be one is named: %j', (origins, message) => {
  expect(create(origins)).toThrow(expect.objectContaining({ code: 'configuration', message }));
});

test.each([[[]], [['https://app.example', 'http://localhost:5173']]])('origins are taken: %j', (origins) => {
  expect(create(origins)).not.toThrow();
});

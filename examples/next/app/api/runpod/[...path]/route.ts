import { runpod } from 'runpod-rx';
import { createProxy } from 'runpod-rx/server';

const handler = createProxy({
  client: runpod(),
  endpoints: { 'my-endpoint': { operations: ['run', 'status', 'stream', 'cancel'], quota: { jobs: 10 } } },
  // Your own session decides who this is, such as `(await auth())?.user.id`. Here, everybody may say.
  user: (request) => request.headers.get('x-user') ?? 'guest',
});

/** Every request is answered anew. */
export const dynamic = 'force-dynamic';

export const GET = (request: Request) => handler(request);
export const POST = (request: Request) => handler(request);

/** A process that submits jobs as fast as its budget allows, and cancels some of them. */
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { EMPTY, catchError, defer, interval, merge, mergeMap, repeat, tap, timer } from 'rxjs';
import { createRunpod, type Budget, type Limits } from 'runpod-rx';
import { redisBudget } from 'runpod-rx/bullmq';
import { fetchTransport } from 'runpod-rx/fetch';
import { postgresBudget } from 'runpod-rx/pg-boss';

interface Options {
  readonly by: string;
  readonly engine: string;
  readonly port: number;
  readonly baseUrl: string;
  readonly name: string;
  readonly offlineShare: number;
  readonly limits: Limits;
}

const { by, engine, port, baseUrl, name, offlineShare, limits } = JSON.parse(process.argv[2]!) as Options;

function budget(): Budget {
  if (engine === 'redis') {
    const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
    return redisBudget(redis, { name, offlineShare });
  }
  const pool = new Pool({ host: '127.0.0.1', port, user: process.env.PGUSER ?? 'postgres' });
  pool.on('error', () => undefined);
  return postgresBudget(pool, { name, offlineShare });
}

const client = createRunpod({
  transport: fetchTransport(),
  baseUrl,
  apiKey: 'key',
  limits: { budget: budget(), limits },
});
const endpoint = client.endpoint('demo');
let last: string | undefined;
const submit$ = defer(() => endpoint.run({ input: { by } })).pipe(
  tap(({ id }) => (last = id)),
  catchError(() => timer(100)),
  repeat(),
);
merge(...Array.from({ length: 8 }, () => submit$)).subscribe();
interval(500)
  .pipe(mergeMap(() => (last === undefined ? EMPTY : endpoint.cancel(last).pipe(catchError(() => EMPTY)))))
  .subscribe();
// The test has ended.
process.stdin.on('end', () => process.exit());
process.stdin.resume();

/**
 * A process that submits jobs as fast as its budget allows, 100 at a time, and cancels one twice in a second. Lines of its
 * input pause it and have it go on.
 */
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import {
  EMPTY,
  Subject,
  catchError,
  defer,
  fromEvent,
  interval,
  merge,
  mergeMap,
  repeat,
  startWith,
  switchMap,
  tap,
  timer,
} from 'rxjs';
import { runpod } from 'runpod-rx';
import { redisBudget } from 'runpod-rx/bullmq';
import { postgresBudget } from 'runpod-rx/pg-boss';

const { baseUrl, engine, port, name, concurrency } = JSON.parse(process.argv[2]);

function budget() {
  if (engine === 'redis') {
    const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null });
    redis.on('error', () => undefined);
    return redisBudget(redis, { name });
  }
  const pool = new Pool({
    host: '127.0.0.1',
    port,
    user: process.env.PGUSER ?? 'postgres',
    connectionTimeoutMillis: 2_000,
  });
  pool.on('error', () => undefined);
  return postgresBudget(pool, { name });
}

const endpoint = runpod({ baseUrl, apiKey: 'key', limits: { budget: budget() } }).endpoint('demo');
const submitted$ = new Subject();
let last;
submitted$.subscribe((id) => (last = id));
const submit$ = defer(() => endpoint.run({ input: { a: 1 } })).pipe(
  tap(({ id }) => submitted$.next(id)),
  catchError(() => timer(100)),
  repeat(),
);
const work$ = merge(...Array.from({ length: concurrency }, () => submit$));
fromEvent(createInterface({ input: process.stdin }), 'line')
  .pipe(
    startWith('go'),
    switchMap((line) => (line === 'go' ? work$ : EMPTY)),
  )
  .subscribe();
interval(500)
  .pipe(mergeMap(() => (last === undefined ? EMPTY : endpoint.cancel(last).pipe(catchError(() => EMPTY)))))
  .subscribe();
// The process that started this one has ended.
process.stdin.on('end', () => process.exit());
console.log('{}');

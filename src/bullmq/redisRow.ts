import type { QueueRow, WriteResult } from '../queues/QueueRow.js';
import type { BullmqJob } from './BullmqJob.js';
import type { RedisClient } from './RedisClient.js';

/** The field of the job's own hash that has the row: so the row goes when the job goes. */
const ROW = 'runpod-rx';

/** The field that says that the job is to be cancelled. */
const CANCEL = 'runpod-rx:cancel';

const READ = `return redis.call('HGET', KEYS[1], ARGV[1])`;

const WRITE = `
  local row = redis.call('HGET', KEYS[1], ARGV[1])
  if row == ARGV[2] then return 'written' end
  if redis.call('EXISTS', KEYS[1]) == 0 then return 'lost' end
  if ARGV[4] == 'owned' then
    if redis.call('GET', KEYS[2]) ~= ARGV[5] then return 'lost' end
    if redis.call('HEXISTS', KEYS[1], ARGV[6]) == 1 then return 'cancelled' end
  end
  if (row or '') ~= ARGV[3] then return 'changed' end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  return 'written'
`;

const STANDING = `
  if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 'lost' end
  if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return 'cancel' end
  return 'owned'
`;

const MARK = `
  if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], 1)
  return 1
`;

const REMOVE = `return redis.call('HDEL', KEYS[1], ARGV[1])`;

/** The key of the hash in which BullMQ keeps a job. */
function jobKey({ queueQualifiedName, id = '' }: BullmqJob): string {
  return `${queueQualifiedName}:${id}`;
}

/** The row of a job, in the job's hash. What leads to a submission is written only while the worker has the job's lock, and nobody has cancelled the job. */
export function redisRow(redis: RedisClient, job: BullmqJob, token: string): QueueRow {
  const key = jobKey(job);
  return {
    // A script gives what it returns: the text of `HGET`, or one of the three results.
    read: () => redis.eval(READ, 1, key, ROW) as Promise<string | null>,
    write: (text, { before = '', owned }) =>
      redis.eval(
        WRITE,
        2,
        key,
        `${key}:lock`,
        ROW,
        text,
        before,
        owned ? 'owned' : '',
        token,
        CANCEL,
      ) as Promise<WriteResult>,
  };
}

/** Whether a worker still has the lock of a job, and whether the job is to be cancelled. */
export function standing(redis: RedisClient, job: BullmqJob, token: string): Promise<'owned' | 'lost' | 'cancel'> {
  const key = jobKey(job);
  return redis.eval(STANDING, 2, key, `${key}:lock`, CANCEL, token) as Promise<'owned' | 'lost' | 'cancel'>;
}

/** Says that a job is to be cancelled. Gives `false` where there is no such job. */
export async function markCancel(redis: RedisClient, job: BullmqJob): Promise<boolean> {
  return (await redis.eval(MARK, 1, jobKey(job), CANCEL)) === 1;
}

/** The job was cancelled: another attempt is not cancelled by that. */
export function unmarkCancel(redis: RedisClient, job: BullmqJob): Promise<unknown> {
  return redis.eval(REMOVE, 1, jobKey(job), CANCEL);
}

/** Removes the row of a job whose result the queue has. */
export function removeRow(redis: RedisClient, job: BullmqJob): Promise<unknown> {
  return redis.eval(REMOVE, 1, jobKey(job), ROW);
}

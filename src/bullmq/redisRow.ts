import type { QueueRow, WriteResult } from '../queues/QueueRow.js';
import type { BullmqJob } from './BullmqJob.js';
import type { RedisClient } from './RedisClient.js';

/** The field of the job's own hash that has the row: so the row goes when the job goes. */
const ROW = 'runpod-rx';

/**
 * The field that says that the job is to be cancelled: `1`, or, once it is cancelled, by which delivery. Where the worker of that
 * delivery is lost before the queue knows, the job is delivered again in the same attempt, and still cancelled.
 */
const CANCEL = 'runpod-rx:cancel';

/** Whether a mark, if there is one, cancels a delivery. */
const IS_CANCEL = `
  local function isCancel(mark, delivery)
    if mark == '1' then return true end
    local attempt, stalls = string.match(mark or '', '(%d+)/(%d+)')
    local ownAttempt, ownStalls = string.match(delivery, '(%d+)/(%d+)')
    return attempt == ownAttempt and tonumber(stalls or 0) < tonumber(ownStalls or 0)
  end
`;

const READ = `return redis.call('HGET', KEYS[1], ARGV[1])`;

const WRITE = `
  ${IS_CANCEL}
  if ARGV[4] == 'owned' then
    if redis.call('GET', KEYS[2]) ~= ARGV[5] then return 'lost' end
    if isCancel(redis.call('HGET', KEYS[1], ARGV[6]), ARGV[7]) then return 'cancelled' end
  end
  local row = redis.call('HGET', KEYS[1], ARGV[1])
  if row == ARGV[2] then return 'written' end
  if redis.call('EXISTS', KEYS[1]) == 0 then return 'lost' end
  if (row or '') ~= ARGV[3] then return 'changed' end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  return 'written'
`;

const STANDING = `
  ${IS_CANCEL}
  if redis.call('GET', KEYS[2]) ~= ARGV[2] then return 'lost' end
  local mark = redis.call('HGET', KEYS[1], ARGV[1])
  if isCancel(mark, ARGV[3]) then return 'cancel' end
  -- An attempt before this one was cancelled.
  if mark then redis.call('HDEL', KEYS[1], ARGV[1]) end
  return 'owned'
`;

/** An id may come again: the job that is meant may be over, and another in its place. */
const MARK = `
  local added = redis.call('HGET', KEYS[1], 'timestamp')
  if not added or tonumber(added) ~= tonumber(ARGV[2]) then return 0 end
  redis.call('HSET', KEYS[1], ARGV[1], 1)
  return 1
`;

/** Only where the queue has a result still: the job may have been retried since, or be another one with the same id. */
const REMOVE = `
  if redis.call('HEXISTS', KEYS[1], 'returnvalue') == 1 then redis.call('HDEL', KEYS[1], ARGV[1], ARGV[2]) end
`;

const MARK_DONE = `
  if redis.call('GET', KEYS[2]) == ARGV[3] then redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) end
`;

/** The key of the hash in which BullMQ keeps a job. */
function jobKey({ queueQualifiedName, id = '' }: BullmqJob): string {
  return `${queueQualifiedName}:${id}`;
}

/** Names a delivery: an attempt, and how often its worker was lost before. */
export function deliveryOf({ attemptsMade, stalledCounter }: BullmqJob): string {
  return `${attemptsMade}/${stalledCounter}`;
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
        deliveryOf(job),
      ) as Promise<WriteResult>,
  };
}

/** Whether Redis has a job at all. */
export async function hasJob(redis: RedisClient, job: BullmqJob): Promise<boolean> {
  return (await redis.eval(`return redis.call('EXISTS', KEYS[1])`, 1, jobKey(job))) === 1;
}

/** Whether a worker still has the lock of a job, and whether the job is to be cancelled. */
export function standing(redis: RedisClient, job: BullmqJob, token: string): Promise<'owned' | 'lost' | 'cancel'> {
  const key = jobKey(job);
  const found = redis.eval(STANDING, 2, key, `${key}:lock`, CANCEL, token, deliveryOf(job));
  // What the script returns.
  return found as Promise<'owned' | 'lost' | 'cancel'>;
}

/** Says that a job is to be cancelled. Gives `false` where there is no such job. */
export async function markCancel(redis: RedisClient, job: BullmqJob): Promise<boolean> {
  return (await redis.eval(MARK, 1, jobKey(job), CANCEL, String(job.timestamp))) === 1;
}

/** The job was cancelled by this delivery: another attempt is not cancelled by that. */
export function markCancelled(redis: RedisClient, job: BullmqJob, token: string): Promise<unknown> {
  const key = jobKey(job);
  return redis.eval(MARK_DONE, 2, key, `${key}:lock`, CANCEL, deliveryOf(job), token);
}

/** Removes the row of a job whose result the queue has, and a cancel that came too late. */
export function removeRow(redis: RedisClient, job: BullmqJob): Promise<unknown> {
  return redis.eval(REMOVE, 1, jobKey(job), ROW, CANCEL);
}

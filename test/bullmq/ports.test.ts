import type { Job } from 'bullmq';
import type { Redis } from 'ioredis';
import { expectTypeOf, test } from 'vitest';
import type { BullmqJob } from 'runpod-rx/bullmq';

test('a job of BullMQ is what the processor needs, and its client is one of ioredis', () => {
  expectTypeOf<Job<{ prompt: string }>>().toExtend<BullmqJob<{ prompt: string }>>();
  expectTypeOf<Redis>().toHaveProperty('eval');
});

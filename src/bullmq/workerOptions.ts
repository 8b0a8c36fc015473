/**
 * Options of BullMQ's `Worker` that suit `createProcessor`. A job of RunPod survives the worker that follows it, so a job may
 * lose its worker as often as there are deploys and crashes; BullMQ's default fails it at the second time.
 */
export const workerOptions = { maxStalledCount: 1_000 } as const;

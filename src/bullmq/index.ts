export type { BullmqJob } from './BullmqJob.js';

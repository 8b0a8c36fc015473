export { BatchApi, type WatchBatchOptions } from './BatchApi.js';
export { batches, Batches, type BatchesOptions } from './Batches.js';
export type { BatchChild } from './BatchChild.js';
export type { BatchItem, BatchItemBase, CompletedBatchItem, FailedBatchItem } from './BatchItem.js';
export type { BatchRunOptions, BatchTotals } from './BatchRunOptions.js';
export { memoryBatchStore, type BatchRecord, type BatchStage, type BatchStore } from './BatchStore.js';
export { isBatchOver, type BatchStatus, type BatchSummary } from './BatchSummary.js';
export type { Eventually } from '../server/eventually.js';

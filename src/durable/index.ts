export {
  postgresStore,
  type PostgresClient,
  type PostgresPool,
  type PostgresStoreOptions,
} from './database/postgresStore.js';
export { sqliteStore, type SqliteDatabase, type SqliteStatement } from './database/sqliteStore.js';
export { durable, type DurableRunner } from './durable.js';
export type { DurableOptions, DurableWebhooks } from './DurableOptions.js';
export type { JobEnd, JobRow, RowState } from './JobRow.js';
export type { JobStore } from './JobStore.js';
export { batchFolder } from './file/batchFolder.js';
export { fileStore } from './file/fileStore.js';
export { webhookFolder } from './file/webhookFolder.js';
export { memoryStore } from './memoryStore.js';
export type { Eventually } from '../server/eventually.js';

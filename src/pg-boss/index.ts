export type { Boss, BossDatabase, BossJob } from './Boss.js';
export { postgresBudget } from './postgresBudget.js';
export type { PostgresQueries } from './postgresLeases.js';
export type { BudgetOptions } from '../budget/BudgetOptions.js';

export type { Boss, BossDatabase, BossJob } from './Boss.js';

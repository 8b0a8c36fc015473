export type { FaultRule } from '../../emulator/index.js';
export { injectLedger, type Ledger } from './injectLedger.js';
export { provideRunpodTesting, type RunpodTestingOptions } from './provideRunpodTesting.js';

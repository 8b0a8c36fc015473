export { injectLedger, type Ledger } from './injectLedger.js';
export { provideRunpodTesting, type RunpodTestingOptions } from './provideRunpodTesting.js';

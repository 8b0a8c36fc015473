export * from '../index.js';
// These replace the exports of `../index.js` that have the same names.
export {
  createEmulator,
  startEmulator,
  type Emulator,
  type EmulatorOptions,
  type ListeningEmulator,
} from './createEmulator.js';
export type { CorsOption } from './cors.js';
export type { ListenOptions } from './EmulatorServer.js';

export * from '../index.js';
// Named here, these stand before those of `../testing`.
export {
  createEmulator,
  startEmulator,
  type Emulator,
  type EmulatorOptions,
  type ListeningEmulator,
} from './createEmulator.js';
export type { CorsOption } from './cors.js';
export type { ListenOptions } from './EmulatorServer.js';

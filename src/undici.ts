export { undiciTransport, type UndiciTransportOptions } from './http/transports/undiciTransport.js';

export { undiciTransport, type UndiciTransportOptions } from './transport/undiciTransport.js';

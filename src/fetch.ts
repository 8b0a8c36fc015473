export { fetchTransport, type FetchTransportOptions } from './http/transports/fetchTransport.js';

export { fetchTransport, type FetchSettings, type FetchTransportOptions } from './http/transports/fetchTransport.js';

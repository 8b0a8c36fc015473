export { eventNotices } from './eventNotices.js';
export type { EventNoticesOptions } from './EventNoticesOptions.js';
export type { Follows, VouchedNotice } from '../protocol/vouchedNotice.js';

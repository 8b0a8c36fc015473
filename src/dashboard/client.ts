import { createRunpod } from 'runpod-rx';
import { eventNotices } from 'runpod-rx/events';
import { fetchTransport } from 'runpod-rx/fetch';

/** The emulator's address, wherever a proxy may have put it. */
export const ROOT = new URL('.', document.baseURI).pathname;

/** The address of the dashboard's data. */
export const DATA = `${ROOT}__emulator/dashboard/`;

/** A client of the emulator. Its requests are not in the ledger, and the emulator tells of its jobs, so that it need not ask. */
export const client = createRunpod({
  transport: fetchTransport(),
  baseUrl: `${DATA}v2`,
  notices: eventNotices(`${DATA}v2/events`),
});

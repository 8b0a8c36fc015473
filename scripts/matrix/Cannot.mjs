/** Why a row cannot work on this machine, in one line. It is no failure. */
export class Cannot extends Error {}

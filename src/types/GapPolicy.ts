/** What to do when an answer was lost that may have carried chunks. */
export type GapPolicy = 'hold' | 'mark' | 'error';

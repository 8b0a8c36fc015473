/** What a reader of a stream does after it lost an answer that may have carried chunks; see `StreamOptions.onGap`. */
export type GapPolicy = 'hold' | 'mark' | 'error';

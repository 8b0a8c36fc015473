/**
 * What `streamChunks` emits: a chunk, or a place where chunks may be missing after the first `delivered` ones. A `gap`
 * comes only under `onGap: 'mark'`.
 */
export type StreamEvent =
  { readonly type: 'chunk'; readonly chunk: unknown } | { readonly type: 'gap'; readonly delivered: number };

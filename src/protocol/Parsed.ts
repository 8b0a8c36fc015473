/** What parsing an answer gave: the value, or what is wrong with it in words. */
export type Parsed<T> = { readonly value: T } | { readonly issue: string };

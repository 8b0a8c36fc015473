/** The result of parsing an answer: its value, or the words for what is wrong with the answer. */
export type Parsed<T> = { readonly value: T } | { readonly issue: string };

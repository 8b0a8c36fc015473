/** The content codings in a `Content-Encoding` header, in the order in which they were applied. */
export function contentCodings(header: string | undefined): string[] {
  if (!header) return [];
  return header
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding && coding !== 'identity');
}

/** The first bytes of an answer in zstd, read as UTF-8. */
const ZSTD = '(\uFFFD/\uFFFD';

/**
 * The content coding that a platform has left in a text; `undefined` where there is none. `fetch` decodes the usual codings,
 * keeps the header, and passes on what it does not know.
 */
export function undecodedCoding(header: string | undefined, text: string): string | undefined {
  return contentCodings(header).find((coding) => {
    // Some platforms decode it, and some do not.
    if (coding === 'zstd') return text.startsWith(ZSTD);
    return !/^(x-)?gzip$|^deflate$|^br$/.test(coding);
  });
}

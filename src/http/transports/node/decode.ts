import { constants } from 'node:buffer';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { tooLarge, unknownCoding } from '../unreadableErrors.js';

type Decoder = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>;

const unzip: Decoder = promisify(gunzip);
const unzlib: Decoder = promisify(inflate);
const undeflate: Decoder = promisify(inflateRaw);

const decoders: Readonly<Record<string, Decoder>> = {
  gzip: unzip,
  'x-gzip': unzip,
  // Some servers send the bare data, without the header that the coding has.
  deflate: (body, options) => (hasZlibHeader(body) ? unzlib : undeflate)(body, options),
  br: promisify(brotliDecompress),
};

/** How often an answer may be compressed over. Each time costs work, and no honest server does it twice. */
const MAX_CODINGS = 3;

/**
 * Undoes the content codings of an answer, the last one first. No step makes more than `maxBytes`. Rejects where the
 * result is larger, where a coding is unknown, and where the data are damaged or incomplete.
 */
export async function decode(
  body: Buffer,
  codings: readonly string[],
  { maxBytes, status }: { readonly maxBytes: number; readonly status: number },
): Promise<Buffer> {
  const unknown = codings.find((coding) => !Object.hasOwn(decoders, coding));
  if (unknown !== undefined) throw unknownCoding(unknown, status);
  if (codings.length > MAX_CODINGS) throw unknownCoding(codings.join(', '), status);
  // An answer without a body may name a coding.
  if (!body.length) return body;
  const maxOutputLength = Math.min(maxBytes, constants.MAX_LENGTH);
  let decoded = body;
  for (const coding of [...codings].reverse()) {
    try {
      decoded = await (decoders[coding] as Decoder)(decoded, { maxOutputLength });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes, status);
      throw Object.assign(new Error(`the answer could not be decoded from ${coding}: ${message}`), { code });
    }
  }
  return decoded;
}

/** Whether data begin with the two bytes of zlib: the method and a check. */
function hasZlibHeader(body: Buffer): boolean {
  return body.length > 1 && (body.readUInt8(0) & 0x0f) === 8 && body.readUInt16BE(0) % 31 === 0;
}

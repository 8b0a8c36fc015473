import { crc32, deflateSync, inflateSync } from 'node:zlib';

/** Bytes of a PNG before its first chunk. */
const SIGNATURE = 8;

/** The palette's number for points of the set, which are black. */
const INSIDE = 255;

/** Makes a small copy of the demo's picture: a PNG of 8 bits a pixel with a palette, and rows without filters. */
export function thumbnail(file, width) {
  const chunks = chunksOf(file);
  const full = { width: chunks.IHDR.readUInt32BE(0), height: chunks.IHDR.readUInt32BE(4) };
  const pixels = inflateSync(chunks.IDAT);
  const step = full.width / width;
  const height = Math.floor(full.height / step);
  const rows = Buffer.alloc((width + 1) * height);
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++)
      rows[row * (width + 1) + 1 + column] = colourOf(pixels, full, { left: column * step, top: row * step, step });
  const header = Buffer.from(chunks.IHDR);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const data = { IHDR: header, PLTE: chunks.PLTE, IDAT: deflateSync(rows, { level: 9 }), IEND: Buffer.alloc(0) };
  const png = [file.subarray(0, SIGNATURE), ...Object.entries(data).map(([type, content]) => framed(type, content))];
  return { width, height, png: Buffer.concat(png) };
}

/** The mean colour of a square, or black where most of it is. The palette goes from dark to light, so that numbers have a mean. */
function colourOf(pixels, full, { left, top, step }) {
  const values = [];
  for (let row = Math.floor(top); row < top + step; row++)
    for (let column = Math.floor(left); column < left + step; column++)
      values.push(pixels[row * (full.width + 1) + 1 + column]);
  const outside = values.filter((value) => value !== INSIDE);
  if (outside.length < values.length / 2) return INSIDE;
  return Math.round(outside.reduce((sum, value) => sum + value, 0) / outside.length);
}

/** The contents of a PNG's chunks by their type. */
function chunksOf(file) {
  const chunks = {};
  for (let at = SIGNATURE; at < file.length;) {
    const length = file.readUInt32BE(at);
    chunks[file.toString('latin1', at + 4, at + 8)] = file.subarray(at + 8, at + 8 + length);
    at += length + 12;
  }
  return chunks;
}

function framed(type, content) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const frame = Buffer.alloc(body.length + 8);
  frame.writeUInt32BE(content.length, 0);
  body.copy(frame, 4);
  frame.writeUInt32BE(crc32(body), body.length + 4);
  return frame;
}

import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MAX_COLOURS = 256;

/**
 * Makes a PNG of true colours small: with a palette of at most 256 colours. Where it has more, the lowest bits of the
 * channels are left out, which nobody sees in a picture of text.
 *
 * @param {Buffer} png - of 8 bits a channel, not interlaced, as Chromium makes screenshots
 */
export function palettePng(png) {
  const { width, height, channels, pixels } = decode(png);
  let lost = 0;
  let palette = paletteOf(pixels, channels, lost);
  while (palette.size > MAX_COLOURS) palette = paletteOf(pixels, channels, (lost += 1));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      rows[y * (width + 1) + 1 + x] = palette.get(colourAt(pixels, (y * width + x) * channels, lost));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8);
  const colours = Buffer.from(
    [...palette.keys()].flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]),
  );
  const parts = [chunk('IHDR', header), chunk('PLTE', colours), chunk('IDAT', deflateSync(rows, { level: 9 }))];
  return Buffer.concat([SIGNATURE, ...parts, chunk('IEND', Buffer.alloc(0))]);
}

function paletteOf(pixels, channels, lost) {
  const palette = new Map();
  for (let at = 0; at < pixels.length && palette.size <= MAX_COLOURS; at += channels) {
    const colour = colourAt(pixels, at, lost);
    if (!palette.has(colour)) palette.set(colour, palette.size);
  }
  return palette;
}

/** A colour as a number, its lowest bits rounded away. White stays white. */
function colourAt(pixels, at, lost) {
  const step = 1 << lost;
  const round = (value) => Math.min(255, Math.round(value / step) * step);
  return (round(pixels[at]) << 16) | (round(pixels[at + 1]) << 8) | round(pixels[at + 2]);
}

function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  whole.set(body, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

function decode(png) {
  const data = [];
  let at = SIGNATURE.length;
  const [width, height, colourType] = [png.readUInt32BE(16), png.readUInt32BE(20), png[25]];
  while (at < png.length) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const channels = colourType === 6 ? 4 : 3;
  return { width, height, channels, pixels: unfilter(inflateSync(Buffer.concat(data)), width * channels, channels) };
}

/** Takes the filters of PNG off, row by row. */
function unfilter(filtered, rowLength, channels) {
  const rows = filtered.length / (rowLength + 1);
  const pixels = Buffer.alloc(rows * rowLength);
  for (let y = 0; y < rows; y++) {
    const filter = filtered[y * (rowLength + 1)];
    for (let x = 0; x < rowLength; x++) {
      const at = y * rowLength + x;
      const left = x >= channels ? pixels[at - channels] : 0;
      const up = y > 0 ? pixels[at - rowLength] : 0;
      const corner = x >= channels && y > 0 ? pixels[at - rowLength - channels] : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      pixels[at] = filtered[at + y + 1] + predicted;
    }
  }
  return pixels;
}

function paeth(left, up, corner) {
  const estimate = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(estimate - value));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

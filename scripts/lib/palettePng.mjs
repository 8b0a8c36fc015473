import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MAX_COLOURS = 256;

/**
 * Makes a PNG of true colours small: with a palette of its 256 most frequent colours. Any other colour becomes the nearest of
 * these, which nobody sees in a picture of text.
 *
 * @param {Buffer} png - of 8 bits a channel, not interlaced, as Chromium makes screenshots
 */
export function palettePng(png) {
  const { width, height, channels, pixels } = decode(png);
  const colours = new Uint32Array(width * height).map((_, at) => pixels.readUIntBE(at * channels, 3));
  const { palette, places } = paletteOf(colours);
  const rows = Buffer.alloc((width + 1) * height);
  colours.forEach((colour, at) => (rows[at + Math.floor(at / width) + 1] = places.get(colour)));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8);
  const parts = [
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(palette.flatMap(channelsOf))),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ];
  return Buffer.concat([SIGNATURE, ...parts]);
}

/** The most frequent colours, and the place in the palette of every colour. */
function paletteOf(colours) {
  const counts = new Map();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const byCount = [...counts].sort(([, one], [, other]) => other - one).map(([colour]) => colour);
  const palette = byCount.slice(0, MAX_COLOURS);
  return {
    palette,
    places: new Map(byCount.map((colour, at) => [colour, at < MAX_COLOURS ? at : nearest(palette, colour)])),
  };
}

function nearest(palette, colour) {
  const distances = palette.map((other) => distance(channelsOf(colour), channelsOf(other)));
  return distances.indexOf(Math.min(...distances));
}

function distance(one, other) {
  return one.reduce((sum, value, at) => sum + (value - other[at]) ** 2, 0);
}

function channelsOf(colour) {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
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

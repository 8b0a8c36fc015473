/**
 * What it costs to read texts that are made to cost much: the answer of a failed job whose error is such a text, the text
 * as an HTTP error, and a stream's answer with as many chunks. Over a transport that answers at once, so that the parsers
 * are nearly all that is measured. `JSON.parse` of the same answer is the yardstick; `times` is how often as much time
 * beyond it a text of twice the size takes.
 */
import { createRunpod } from 'runpod-rx';
import { of } from 'rxjs';
import { round } from './lib/round.mjs';

/** At most this many milliseconds beyond `JSON.parse` for a megabyte, and this often the time of half a megabyte. */
const ASKED = { beyondJson: 50, times: 2 };

/** Differences below this many milliseconds are noise: how often as much they are says nothing. */
const NOISE = 20;

const repeated = (piece, size) => piece.repeat(Math.ceil(size / piece.length));
const nested = (begin, middle, size) => {
  const depth = Math.ceil(size / (begin.length + 1));
  return begin.repeat(depth) + middle + '}'.repeat(depth);
};

/** The texts, by name; the answer that each is in is made by `answers`. */
const texts = {
  spaces: (size) => `boom${' '.repeat(size)}x`,
  'line feeds': (size) => `handler: ${'\n'.repeat(size)}x`,
  titles: (size) => repeated('<title', size),
  braces: (size) => repeated('{', size),
  controls: (size) => repeated('a\u0001', size),
  surrogates: (size) => repeated('\ud800', size),
  details: (size) => nested('{"detail":', '{}', size),
  errors: (size) => nested('{"error":', '"x"', size),
  members: (size) => `{${Array.from({ length: size / 13 }, (_, n) => `"k${n}":${n}`).join()}}`,
};

/** The ways in which a text arrives, and the call that reads it. */
const answers = {
  'error of a job': (text) => ({ status: 200, text: JSON.stringify({ id: 'j', status: 'FAILED', error: text }) }),
  'error, as JSON': (text) =>
    isJson(text) ? { status: 200, text: `{"id":"j","status":"FAILED","error":${text}}` } : undefined,
  'HTTP error': (text) => ({ status: 400, text }),
};

const chunks = (size) => ({ status: 200, text: `{"status":"COMPLETED","stream":[${repeated('0,', size)}0]}` });

/** @returns {Promise<import('./measure.mjs').Measurement>} */
export async function parsers({ quick = false } = {}) {
  const size = quick ? 200_000 : 1_000_000;
  const lines = [];
  for (const [text, make] of Object.entries(texts)) {
    for (const [answer, wrap] of Object.entries(answers)) {
      if (wrap(make(100))) lines.push(line(`${text}, ${answer}`, size, (length) => wrap(make(length)), 'status'));
    }
  }
  lines.push(line('chunks of a stream', size, chunks, 'stream'));
  return { name: 'parsers: what hostile texts cost', ok: lines.every(({ ok }) => ok), asked: ASKED, lines };
}

function line(text, size, reply, call) {
  const half = best(reply(size / 2), call);
  const { json, time } = best(reply(size), call);
  const beyondJson = time - json;
  const times = Math.max(beyondJson, NOISE) / Math.max(half.time - half.json, NOISE);
  // What a chunk costs on its way to the subscriber is no parsing: the measurement `stream` tells it.
  const ok = (call === 'stream' || beyondJson <= ASKED.beyondJson) && times <= ASKED.times + 0.2;
  return { text, json: round(json), time: round(time), beyondJson: round(beyondJson), times: round(times), ok };
}

/** The shortest of a few tries, in milliseconds: everything else that the machine does makes it longer. */
function best(reply, call) {
  const tries = Array.from({ length: 5 }, () => ({ json: timeOf(() => parse(reply.text)), time: read(reply, call) }));
  return { json: Math.min(...tries.map(({ json }) => json)), time: Math.min(...tries.map(({ time }) => time)) };
}

/** Reads an answer by a client of its own. */
function read(reply, call) {
  let nth = 0;
  const drained = { status: 200, text: '{"status":"COMPLETED","stream":[]}' };
  const transport = () => of({ headers: {}, ...(call === 'stream' && nth++ > 0 ? drained : reply) });
  const endpoint = createRunpod({ transport, apiKey: 'a-key', limits: false, retry: { attempts: 1 } }).endpoint('e');
  return timeOf(() => endpoint[call]('j').subscribe({ error: () => undefined }));
}

function timeOf(work) {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isJson(text) {
  return parse(text) !== undefined;
}

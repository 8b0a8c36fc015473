import type { HandlerContext, HandlerJob } from 'runpod-rx/emulator';
import { seeded } from './seeded.js';

const TEXT = `
The harbour wakes before the town does. A lamp moves along the quay, and behind the lamp there is a man who counts
boats. He counts them every morning, and every morning the number is another one, because the sea keeps some boats and
gives others back. The boats that come home are low in the water and smell of salt. The boats that stay out are only a
number in the book of the man who counts. When the sun comes up the lamp goes out, and the town opens its windows. The
windows look at the sea, and the sea looks at nothing at all. In the evening the man who counts closes his book. He
does not count the stars, because the stars come home every night. The town lights a lamp for the boats that stay out,
and the lamp moves a little in the wind, as if somebody carried it along the quay.
`;

/** Gives, for each pair of words, the words that follow that pair in the text. */
function pairsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const words = text.split(/\s+/).filter(Boolean);
  const followers = new Map<string, string[]>();
  words.forEach((word, at) => {
    const next = words[at + 2];
    const pair = `${word} ${words[at + 1] ?? ''}`;
    if (next) followers.set(pair, [...(followers.get(pair) ?? []), next]);
  });
  return followers;
}

/** Writes a text word by word. Each word is one that follows the previous two words in `TEXT`. */
export async function* writer(
  { input }: HandlerJob<{ words?: number; seed?: number }>,
  { sleep, signal }: HandlerContext,
): AsyncGenerator<string> {
  const { words = 60, seed = 1 } = input;
  const random = seeded(seed);
  const followers = pairsOf(TEXT);
  let [before, last] = ['The', 'town'];
  yield `${before} ${last}`;
  for (let count = 2; !signal.aborted && (count < words || !last.endsWith('.')); count++) {
    const choices = followers.get(`${before} ${last}`) ?? ['The'];
    const word = choices[Math.floor(random() * choices.length)] ?? 'The';
    [before, last] = [last, word];
    // The pause after a sentence is longer.
    await sleep((before.endsWith('.') ? 300 : 40) + 60 * random());
    yield ` ${word}`;
  }
}

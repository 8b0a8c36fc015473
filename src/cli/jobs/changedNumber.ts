/** What a text of JSON is made of that may hold digits: texts, and numbers with all that belongs to them. */
const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** The first whole number in JSON that JavaScript rounds, such as a seed of 64 bits. */
export function changedNumber(json: string): string | undefined {
  for (const [token] of json.matchAll(TOKENS)) if (/^-?\d{16,}$/.test(token) && isRounded(token)) return token;
  return undefined;
}

/** How the command says it. */
export function changeOf(number: string, where: string): string {
  return `${where}: ${number} is sent as ${BigInt(Number(number))}, since JavaScript has no more digits; as a text, it stays what it is`;
}

function isRounded(number: string): boolean {
  const rounded = Number(number);
  // A number that is too large altogether is refused where it is sent.
  return Number.isFinite(rounded) && BigInt(rounded) !== BigInt(number);
}

/** Longer names are not compared: nobody has mistyped one of ours that badly. */
const MAX_LENGTH = 40;

/** The known name that was probably meant: the nearest one, where it is near enough. */
export function didYouMean(given: string, known: readonly string[]): string | undefined {
  if (given.length > MAX_LENGTH) return undefined;
  const [nearest] = known
    .map((name) => ({ name, distance: distanceOf(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(1, name.length / 3))
    .sort((a, b) => a.distance - b.distance);
  return nearest?.name;
}

/** How far a name is from another. A name that begins with the other is near, such as `timeoutMs`. */
function distanceOf(given: string, name: string): number {
  const [short, long] = given.length < name.length ? [given, name] : [name, given];
  return short.length > 2 && long.startsWith(short) ? 0.5 : editDistance(given, name);
}

/** The least number of characters to insert, delete or replace that turns one text into another (Levenshtein). */
function editDistance(from: string, to: string): number {
  // Row by row: the distances of the first characters of `from` to each beginning of `to`.
  let distances = Array.from({ length: to.length + 1 }, (_, length) => length);
  for (let row = 1; row <= from.length; row++) {
    const next = [row];
    for (let column = 1; column <= to.length; column++) {
      const [above = 0, aboveLeft = 0, before = 0] = [distances[column], distances[column - 1], next[column - 1]];
      const replaced = aboveLeft + (from[row - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, above + 1, before + 1));
    }
    distances = next;
  }
  return distances[to.length] ?? 0;
}

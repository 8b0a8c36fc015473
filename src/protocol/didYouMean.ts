/** Longer names are not compared: nobody has mistyped one of ours that badly. */
const MAX_LENGTH = 40;

/** The known name that was probably meant: the nearest one, where it is near enough; or one that begins like it. */
export function didYouMean(given: string, known: readonly string[]): string | undefined {
  return (
    misspelt(given, known) ??
    (given.length > 2 && given.length <= MAX_LENGTH ? known.find((name) => beginsAlike(given, name)) : undefined)
  );
}

/** The known name of which a name is a misspelling. */
export function misspelt(given: string, known: readonly string[]): string | undefined {
  if (given.length > MAX_LENGTH) return undefined;
  const [nearest] = known
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, distance }) => distance <= Math.max(1, name.length / 3))
    .sort((a, b) => a.distance - b.distance);
  return nearest?.name;
}

/** Whether a name goes on where another ends, such as `timeoutMs` for `timeout`. */
function beginsAlike(given: string, name: string): boolean {
  return given.startsWith(name) || name.startsWith(given);
}

/** The least number of characters to insert, delete, replace or swap with the next that turns one text into another. */
function editDistance(from: string, to: string): number {
  // Row by row: the distances of the first characters of `from` to each beginning of `to`.
  const rows = [Array.from({ length: to.length + 1 }, (_, length) => length)];
  const distance = (row: number, column: number) => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= from.length; row++) {
    rows.push([row]);
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      rows[row]?.push(
        Math.min(
          distance(row - 1, column) + 1,
          distance(row, column - 1) + 1,
          distance(row - 1, column - 1) + (same ? 0 : 1),
          swapped ? distance(row - 2, column - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return distance(from.length, to.length);
}

/** What each member of a limit wants of it, by the members' names. */
export type Wishes = ReadonlyMap<string, number>;

/**
 * The part of a limit that a member should have. Those that want little have it, and those that want more share the rest
 * equally. Half of what nobody wants is shared, too, so that a member need not ask for each request; the other half stays
 * free for members to come.
 *
 * All members come to parts that are the limit together, as far as they know the same.
 *
 * @param rotation - decides who gets what cannot be divided: the next member for the next number
 */
export function fairPart(whole: number, wishes: Wishes, member: string, rotation: number): number {
  const names = [...wishes.keys()].sort();
  const first = rotation % names.length;
  const inTurn = [...names.slice(first), ...names.slice(0, first)];
  const wish = (name: string) => wishes.get(name) ?? 0;
  let rest = whole;
  let fair = 0;
  // Who is served last gets what the division leaves over.
  for (const [index, name] of inTurn.sort((a, b) => wish(a) - wish(b)).entries()) {
    const part = Math.min(wish(name), Math.floor(rest / (names.length - index)));
    if (name === member) fair = part;
    rest -= part;
  }
  return fair + Math.floor(rest / 2 / names.length);
}

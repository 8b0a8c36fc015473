/** The first number of the advisory locks: it keeps them from those of others. */
const LOCK_SPACE = 0x72_70_72_78;

/**
 * A statement before the one that makes a table, in the same transaction: so one process at a time makes it. Two would meet in
 * the catalogue, and one would fail.
 */
export function tableLock(table: string): string {
  return `select pg_advisory_xact_lock(${LOCK_SPACE}, hashtext('${table}'));`;
}

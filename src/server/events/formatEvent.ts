/**
 * An event as a server sends it.
 *
 * @param data - may have several lines
 * @param id - where the receiver goes on after a break; without one, it stays where it was
 */
export function formatEvent(type: string, data: string, id?: string): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\n${lines.join('')}\n`;
}

/** A comment, which says that the connection is alive. */
export const HEARTBEAT = ':\n\n';

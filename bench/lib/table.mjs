function textOf(value) {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Objects as lines of text, a column for each key: numbers to the right, everything else to the left. */
export function table(rows) {
  const keys = [...new Set(rows.flatMap(Object.keys))];
  const columns = keys.map((key) => {
    const cells = rows.map((row) => textOf(row[key]));
    const width = Math.max(key.length, ...cells.map(({ length }) => length));
    const right = rows.some((row) => typeof row[key] === 'number');
    return [key, ...cells].map((cell) => (right ? cell.padStart(width) : cell.padEnd(width)));
  });
  return Array.from({ length: rows.length + 1 }, (_, at) =>
    columns
      .map((column) => column[at])
      .join('  ')
      .trimEnd(),
  );
}

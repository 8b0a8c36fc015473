/** A duration for people: `420 ms`, `1.2 s`, `3 m 05 s`, `2 h 05 m`. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, Math.round(milliseconds));
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} m ${twoDigits(Math.floor((ms % 60_000) / 1_000))} s`;
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} m`;
}

/** How long ago something was, in whole units: `now`, `12 s`, `3 m`, `2 h`. */
export function age(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < 1) return 'now';
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} m`;
  return `${Math.floor(seconds / 3_600)} h`;
}

/** A number with its thousands set apart. */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** A count and its noun. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

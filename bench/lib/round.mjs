/** Rounds a figure to a number of decimals. */
export function round(value, decimals = 2) {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}

/** A figure with so many decimals. */
export function round(value, decimals = 2) {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}

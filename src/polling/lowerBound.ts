/** Of so many that are in order, how many come before something: by halves. */
export function lowerBound(count: number, isBefore: (nth: number) => boolean): number {
  let low = 0;
  for (let high = count; low < high;) {
    const middle = (low + high) >> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

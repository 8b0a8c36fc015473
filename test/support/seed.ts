/**
 * The seed of the property tests. It is the same each time, so that a run means the same here and in CI. `SEED=42 npm test`
 * draws other cases; `npm run soak` draws many.
 */
export const seed = Number(process.env.SEED ?? 20_481);

/**
 * What property tests draw from: the same each time, so that a run means the same here and in CI. `SEED=42 npm test`
 * draws others, and `npm run soak` does for as long as one likes.
 */
export const seed = Number(process.env.SEED ?? 20_481);

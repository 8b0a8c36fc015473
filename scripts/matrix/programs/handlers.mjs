/** The emulator's endpoints that the program uses. */
export default {
  upper: ({ input }) => ({ text: input.prompt.toUpperCase() }),
  words: {
    handler: async function* ({ input }) {
      yield* input.prompt.split(' ');
    },
  },
  slow: (_, context) => context.delay(600_000),
  bad: () => {
    throw new Error('it does not work');
  },
};

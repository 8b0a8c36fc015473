/** The emulator as a server, with endpoints that stream, in a process of its own. Sends its base URL to its parent. */
import { startEmulator } from 'runpod-rx/emulator';

/** The time that all processes of a machine share, to far less than a millisecond. */
const now = () => performance.timeOrigin + performance.now();

const emulator = await startEmulator({
  endpoints: {
    // Chunks at an interval, as a language model writes words.
    paced: {
      workers: 4,
      async *handler({ input: { chunks, every } }, { sleep }) {
        for (let index = 0; index < chunks; index += 1) {
          await sleep(every);
          yield { index, at: now() };
        }
      },
    },
    // Chunks as fast as possible. The pauses let the server answer, which shares a process with this worker.
    flood: {
      workers: 4,
      async *handler({ input: { chunks } }, { sleep }) {
        for (let index = 0; index < chunks; index += 1) {
          if (index % 100 === 99) await sleep(1);
          yield { index, at: now() };
        }
      },
    },
  },
});
process.send(emulator.baseUrl);
process.once('disconnect', () => process.exit());

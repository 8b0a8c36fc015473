// The default transport and the one over undici, over a real socket.
import { firstValueFrom } from 'rxjs';
import { createRunpod, runpod } from 'runpod-rx';
import { startEmulator } from 'runpod-rx/emulator';
import { fetchTransport } from 'runpod-rx/fetch';
import { undiciTransport } from 'runpod-rx/undici';

const emulator = await startEmulator({ endpoints: { demo: { handler: ({ input }) => input.word.toUpperCase() } } });
const options = { apiKey: 'key', baseUrl: emulator.baseUrl };
const outputs = [];
for (const client of [
  runpod(options),
  createRunpod({ ...options, transport: fetchTransport() }),
  createRunpod({ ...options, transport: undiciTransport() }),
]) {
  const snapshot = await firstValueFrom(client.endpoint('demo').runSync({ input: { word: 'hello' } }));
  outputs.push(snapshot.output);
  await firstValueFrom(client.close());
}
await emulator.close();
console.log(JSON.stringify(outputs));

import type { NodeResponse } from './NodeMessages.js';
import { reportFailure } from './reportFailure.js';

/**
 * Sends a body as it comes, each chunk at once, and no faster than the client takes it. When the client goes away, the body
 * is cancelled and the promise resolves; it rejects when the body fails, or when Node cannot send it.
 */
export async function pump(
  body: ReadableStream<Uint8Array>,
  response: NodeResponse,
  signal: AbortSignal,
): Promise<void> {
  const chunks = body.getReader();
  const gone = (): boolean => signal.aborted;
  let goOn = (): void => undefined;
  response.on('drain', () => goOn());
  signal.addEventListener('abort', () => {
    chunks.cancel(signal.reason).catch((error: unknown) => reportFailure(error, signal));
    goOn();
  });
  try {
    for (;;) {
      const { done, value } = await chunks.read();
      if (gone()) return;
      if (done) break;
      const roomy = response.write(value);
      response.flush?.();
      if (roomy) continue;
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      if (gone()) return;
    }
    response.end();
  } catch (error) {
    // Where it is not the body that failed, but what it gave.
    chunks.cancel(error).catch(() => undefined);
    throw error;
  }
}

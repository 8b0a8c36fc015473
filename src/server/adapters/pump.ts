import type { NodeResponse } from './NodeMessages.js';
import { reportFailure } from './reportFailure.js';

/**
 * Sends a body as it comes, each chunk at once, and no faster than the client takes it. When the client goes away, or the
 * response ends otherwise, the body is cancelled and the promise resolves; it rejects when the body fails, or when Node cannot send it.
 */
export async function pump(
  body: ReadableStream<Uint8Array>,
  response: NodeResponse,
  signal: AbortSignal,
): Promise<void> {
  const chunks = body.getReader();
  // Somebody else may end the response, such as a middleware that limits the time.
  const gone = (): boolean => signal.aborted || response.writableEnded;
  let goOn = (): void => undefined;
  response.on('drain', () => goOn());
  let failed = false;
  const stop = (): void => {
    if (failed) return;
    chunks.cancel(signal.reason).catch((error: unknown) => reportFailure(error, signal));
    goOn();
  };
  signal.addEventListener('abort', stop);
  response.on('close', stop);
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
    failed = true;
    // Where it is not the body that failed, but what it gave.
    chunks.cancel(error).catch(() => undefined);
    throw error;
  }
}

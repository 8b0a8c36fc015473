import { Refusal } from './Refusal.js';

/**
 * Reads the body of a request, which must be a JSON object of at most `maxBytes`. Rejects with a `Refusal`, and stops
 * reading as soon as the body is too large.
 */
export async function readJson(request: Request, maxBytes: number): Promise<Readonly<Record<string, unknown>>> {
  const type = request.headers.get('content-type') ?? '';
  // A page of another site can send other types without asking first.
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type))
    throw new Refusal(415, 'the body must have the content type application/json');
  if (request.headers.has('content-encoding')) throw new Refusal(415, 'a compressed body is not taken');
  if (request.bodyUsed)
    throw new Refusal(400, 'the body was read already: put the proxy before what parses bodies, or give it the body');
  const value = parsed(await textWithin(request, maxBytes));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal(400, 'the body must be a JSON object');
  return value as Readonly<Record<string, unknown>>;
}

async function textWithin(request: Request, maxBytes: number): Promise<string> {
  const tooLarge = new Refusal(413, `the body is larger than ${maxBytes} bytes`);
  if (Number(request.headers.get('content-length')) > maxBytes) throw tooLarge;
  const parts = request.body?.getReader();
  if (!parts) return '';
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for (;;) {
    const { done, value } = await parts.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > maxBytes) {
      void parts.cancel().catch(() => undefined);
      throw tooLarge;
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
}

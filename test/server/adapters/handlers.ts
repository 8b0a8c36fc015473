import type { Handler } from 'runpod-rx/server';

/** What {@link echo} says of a request. */
export interface Echo {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string | null;
}

/** Says what it got. */
export const echo: Handler = async (request) => {
  const { method, url } = request;
  const headers: Record<string, string> = {};
  request.headers.forEach((value, name) => {
    headers[name] = value;
  });
  const body = request.body && (await request.text());
  return globalThis.Response.json({ method, url, headers, body });
};

/** A promise, and what settles it. */
export function deferred<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve = (_value: T): void => undefined;
  const promise = new Promise<T>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** Resolves when a signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });
}

/** A body that a test feeds, and that tells of its cancel. */
export function fedBody(): {
  readonly body: ReadableStream<Uint8Array>;
  readonly cancelled: Promise<unknown>;
  feed(text: string): void;
  fail(error: Error): void;
  close(): void;
} {
  const cancelled = deferred<unknown>();
  let control: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      control = controller;
    },
    cancel: (reason) => cancelled.resolve(reason),
  });
  return {
    body,
    cancelled: cancelled.promise,
    feed: (text) => control.enqueue(new TextEncoder().encode(text)),
    fail: (error) => control.error(error),
    close: () => control.close(),
  };
}

/** An answer to a webhook. Nothing of it is of use a second time, and none of it repeats what was sent. */
export function answer(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  });
}

/** An answer that says why a webhook was not taken. */
export function refuse(status: number, error: string, headers?: Readonly<Record<string, string>>): Response {
  return answer(status, { error }, headers);
}

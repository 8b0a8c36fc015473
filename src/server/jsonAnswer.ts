/** The headers of all answers: nothing of them may be cached, and a browser that opens one shows it as it is and runs nothing. */
export const ALWAYS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
} as const;

export const JSON_TYPE = { 'content-type': 'application/json' } as const;

/** An answer of the server itself, in the form in which the service answers. */
export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { ...ALWAYS, ...JSON_TYPE, ...headers } });
}

/** A refusal or a failure, in the form in which the service answers. */
export function errorAnswer(status: number, error: string, headers?: Readonly<Record<string, string>>): Response {
  return jsonAnswer(status, { error }, headers);
}

/** An answer with a reason, in the form that the service's own refusals have. */
export function refusal(status: number, error: string): Response {
  return new globalThis.Response(JSON.stringify({ error }), {
    status,
    headers: { 'content-type': 'application/json' },
  });
}

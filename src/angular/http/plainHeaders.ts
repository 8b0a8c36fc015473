import type { HttpHeaders } from '@angular/common/http';

/** Headers as the client has them: lower-case names, and one value each. */
export function plainHeaders(headers: HttpHeaders): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const name of headers.keys()) plain[name.toLowerCase()] = headers.getAll(name)?.join(', ') ?? '';
  return plain;
}

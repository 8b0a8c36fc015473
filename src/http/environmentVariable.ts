/** The parts of a platform that hold its environment. Browsers and some edge runtimes have neither. */
interface Platform {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
  readonly Deno?: {
    readonly permissions?: { querySync?(query: { name: 'env'; variable: string }): { readonly state: string } };
  };
}

/**
 * An environment variable; `undefined` where it is empty, or where the platform has no environment. Deno would stop and
 * ask its user for permission to read one, so there only a variable that may be read already is read.
 */
export function environmentVariable(name: string): string | undefined {
  const { process, Deno } = globalThis as Platform;
  try {
    const permission = Deno?.permissions?.querySync?.({ name: 'env', variable: name });
    if (permission && permission.state !== 'granted') return undefined;
    return process?.env?.[name] || undefined;
  } catch {
    // Reading was forbidden.
    return undefined;
  }
}

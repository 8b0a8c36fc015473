/**
 * The name or address in a `Host` header, in the form of `URL.hostname`: lower case, addresses in their usual notation, IPv6
 * in brackets, without a port and a final dot. `undefined`: the text is no host.
 */
export function hostName(host: string): string | undefined {
  // A URL would take what stands before an `@` as a user, and what follows a `/` as a path.
  if (host === '' || /[\s/\\?#@]/.test(host)) return undefined;
  try {
    return new URL(`http://${host}`).hostname.replace(/\.$/, '');
  } catch {
    return undefined;
  }
}

/** Whether a host, in the form of {@link hostName}, is an IP address. */
export function isAddress(name: string): boolean {
  return name.startsWith('[') || /^\d+(\.\d+){3}$/.test(name);
}

/** An address as it stands in URLs: IPv6 in brackets. */
export function bracketed(address: string): string {
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}

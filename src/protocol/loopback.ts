/** Whether a host, as `URL.hostname` gives it, always means this machine. */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127(\.\d+){3}$/.test(host) ||
    // An IPv4 loopback address written as IPv6; URLs write its last four bytes in hexadecimal.
    /^\[::ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4}\]$/.test(host)
  );
}

/** The target of a request, in its one normal form. */
export interface RequestTarget {
  /** Path and query. The path has no `.` and `..` segments, encoded or not, and no backslashes. */
  readonly path: string;
  /** The host that an absolute target names, such as `http://host/path`. */
  readonly host?: string;
}

/**
 * Reads the target of a request line once, so that every check and every route sees the same path. `undefined`: the target
 * is neither a path nor an absolute URL.
 */
export function readTarget(target: string): RequestTarget | undefined {
  const absolute = /^https?:\/\//i.test(target);
  if (!absolute && !target.startsWith('/')) return undefined;
  try {
    // A path that begins with two slashes is a path, and not the name of a host.
    const { host, pathname, search } = new URL(absolute ? target : `http://localhost${target}`);
    return { path: pathname + search, ...(absolute && { host }) };
  } catch {
    return undefined;
  }
}

/** A way to a server that can be shut: its connections are cut, and refused until it is opened again. */
export function gateTo(server: { readonly host?: string; readonly port: number }): Promise<{
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  shut(): void;
  open(): void;
  /** Cuts all connections, and listens no more. */
  close(): void;
}>;

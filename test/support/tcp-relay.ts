/**
 * Stands between a client and the server: counts bytes, notes request lines, and calls when enough
 * has passed, so that a test interrupts at the same place each time instead of after a while.
 */
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { once } from 'node:events';

const REQUEST_LINE = /^([A-Z]+) (\S+) HTTP\/1\.1\r\n/;
const REQUESTS_MAX = 50_000;

export class TcpRelay {
  readonly #server: Server;
  readonly #targetPort: () => number;
  readonly #sockets = new Set<Socket>();
  /** Method and target of each request seen. */
  requests: { method: string; target: string }[] = [];
  /** Bytes from clients to the server. */
  sentBytes = 0;
  #trap: { atBytes: number; spring: () => void } | undefined;

  private constructor(targetPort: () => number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#join(client));
  }

  static async open(targetPort: () => number): Promise<TcpRelay> {
    const relay = new TcpRelay(targetPort);
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  forget(): void {
    this.requests = [];
    this.sentBytes = 0;
  }

  /** Resolves as soon as this many bytes have gone to the server from now on. */
  async passed(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      this.#trap = { atBytes: this.sentBytes + bytes, spring: resolve };
    });
  }

  count(...methods: readonly string[]): number {
    return this.requests.filter(({ method }) => methods.includes(method)).length;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const server = connect(this.#targetPort(), '127.0.0.1');
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    }
    client.on('data', (bytes: Buffer) => this.#note(bytes));
    client.pipe(server);
    server.pipe(client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.on('close', () => server.destroy());
    server.on('close', () => client.destroy());
  }

  #note(bytes: Buffer): void {
    this.sentBytes += bytes.length;
    const line = REQUEST_LINE.exec(bytes.subarray(0, 2_000).toString('latin1'));
    if (line !== null && this.requests.length < REQUESTS_MAX) {
      this.requests.push({ method: line[1] ?? '', target: line[2] ?? '' });
    }
    if (this.#trap !== undefined && this.sentBytes >= this.#trap.atBytes) {
      const { spring } = this.#trap;
      this.#trap = undefined;
      spring();
    }
  }
}

/** Stands before a server as if it were far away: what is sent to it arrives later. So how often
 *  somebody waits for it can be told from how long that takes. */
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { once } from 'node:events';

export class SlowLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** For every piece on its way to the server. */
  delayMs = 0;

  private constructor(targetPort: number) {
    this.#server = createServer((client) => this.#join(client, targetPort));
  }

  static async open(targetPort: number): Promise<SlowLink> {
    const link = new SlowLink(targetPort);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #join(client: Socket, targetPort: number): void {
    const server = connect(targetPort, '127.0.0.1');
    for (const [one, other] of [[client, server], [server, client]] as const) {
      this.#sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (bytes) => {
      setTimeout(() => server.write(bytes), this.delayMs); // Timers of one length keep their order.
    });
    server.on('data', (bytes) => client.write(bytes));
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

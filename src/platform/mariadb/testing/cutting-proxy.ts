/** Stands between a store and its server, and cuts a connection: at the writer's next commit, or
 *  at the next statement with a certain value; before the server hears of it, or when it has done
 *  it but nobody has been told. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export type Cut = 'before-commit' | 'after-commit';

/** The writer's statements pass as text when they are prepared. */
const WRITER_SIGN = '.takeTurn f=';
/** Those that end transactions have it in front; what sessions begin with has a mark there. */
const COMMIT = 'COMMIT /*hf ';

export class CuttingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #next: Cut | undefined;
  /** undefined: the writer's commit. */
  #value: string | undefined;
  cutCount = 0;
  /** Over all connections: how often somebody asked something after an answer. */
  roundTripCount = 0;

  private constructor(serverPort: number) {
    this.#server = createServer((client) => this.#pass(client, serverPort));
  }

  static async start(serverPort: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(serverPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cutNext(cut: Cut, value?: string): void {
    this.#next = cut;
    this.#value = value;
  }

  #pass(client: Socket, serverPort: number): void {
    const server = connect(serverPort, '127.0.0.1');
    let isWriter = false;
    let isAnswered = true;
    let isCutting = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (bytes: Buffer) => {
      if (isAnswered) this.roundTripCount += 1;
      isAnswered = false;
      isWriter ||= bytes.includes(WRITER_SIGN);
      const isThere = this.#value === undefined
        ? isWriter && bytes.includes(COMMIT) : bytes.includes(this.#value);
      if (this.#next !== undefined && isThere) {
        this.cutCount += 1;
        isCutting = this.#next === 'after-commit';
        this.#next = undefined;
        if (!isCutting) {
          client.destroy();
          return;
        }
      }
      server.write(bytes);
    });
    server.on('data', (bytes: Buffer) => {
      isAnswered = true;
      if (isCutting) client.destroy(); // The commit is done, and nobody hears of it.
      else client.write(bytes);
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** The network between two programs, which a test can cut. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { once } from 'node:events';

/**
 * - `whole`: bytes pass.
 * - `refusing`: every connection is reset, new ones too, as by a machine whose program has gone.
 * - `silent`: nothing passes and nobody is told, as behind a cable that was pulled.
 */
export type LinkState = 'whole' | 'refusing' | 'silent';

export class CuttableLink {
  readonly #server: Server;
  readonly #targetPort: () => number;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #state: LinkState = 'whole';

  private constructor(targetPort: () => number) {
    this.#targetPort = targetPort;
    this.#server = createServer((near) => this.#join(near));
  }

  static async open(targetPort: () => number): Promise<CuttableLink> {
    const link = new CuttableLink(targetPort);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that were cut silently stay dead: what they carried is lost. */
  become(state: LinkState): void {
    const wasSilent = this.#state === 'silent';
    this.#state = state;
    if (state === 'silent') for (const pair of this.#pairs) fallSilent(pair);
    if (state === 'refusing' || wasSilent) this.#resetAll();
  }

  async close(): Promise<void> {
    this.#resetAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket): void {
    if (this.#state === 'refusing') {
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.#targetPort(), '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        this.#pairs.delete(pair);
        if (this.#state !== 'silent') to.destroy();
      });
      from.pipe(to);
    }
    if (this.#state === 'silent') fallSilent(pair);
  }

  #resetAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }
}

function fallSilent([near, far]: readonly [Socket, Socket]): void {
  near.unpipe(far);
  far.unpipe(near);
  near.pause();
  far.pause();
}

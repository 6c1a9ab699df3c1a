/** A network between coordinator and filer that a test can cut, hold up, and listen to. */
import net, { type AddressInfo, type Socket } from 'node:net';

export class CutProxy {
  /** What the coordinator has sent, over all connections. */
  readonly heard: Buffer[] = [];
  /** Cuts every connection once so many more bytes have gone to the filer, or come from it. */
  cutAfterSent = Number.POSITIVE_INFINITY;
  cutAfterAnswered = Number.POSITIVE_INFINITY;
  /** Takes no new connections. */
  isDown = false;
  connectionCount = 0;
  readonly #server: net.Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  #isHeld = false;

  private constructor(target: number) {
    this.#server = net.createServer((near) => this.#join(near, target));
  }

  static async begin(target: number): Promise<CutProxy> {
    const proxy = new CutProxy(target);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Nothing goes through any more, or no answer, and nobody is told. */
  hold(what: 'all' | 'answers' = 'all'): void {
    this.#isHeld = what === 'all';
    for (const [near, far] of this.#pairs) {
      if (what === 'all') near.pause();
      far.pause();
    }
  }

  release(): void {
    this.#isHeld = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  async end(): Promise<void> {
    this.cut();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #join(near: Socket, target: number): void {
    if (this.isDown) {
      near.destroy();
      return;
    }
    this.connectionCount += 1;
    const far = net.connect(target, '127.0.0.1');
    const pair: [Socket, Socket] = [near, far];
    this.#pairs.add(pair);
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      socket.setNoDelay(true);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#pairs.delete(pair);
        other.destroy();
      });
      socket.on('data', (chunk: Buffer) => this.#pass(chunk, other, socket === near));
      if (this.#isHeld) socket.pause();
    }
  }

  #pass(chunk: Buffer, to: Socket, isSent: boolean): void {
    const left = isSent ? this.cutAfterSent : this.cutAfterAnswered;
    if (isSent) this.heard.push(Buffer.from(chunk));
    to.write(chunk.subarray(0, Math.min(left, chunk.length)));
    if (isSent) this.cutAfterSent -= chunk.length;
    else this.cutAfterAnswered -= chunk.length;
    if (left > chunk.length) return;
    to.end(() => this.cut()); // What went through before the cut arrives.
  }
}

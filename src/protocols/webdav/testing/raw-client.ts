/** A client that says exactly what it is told, also what no well-behaved client would say. */
import net from 'node:net';

export class RawClient {
  readonly socket: net.Socket;
  #text = '';
  #isEnded = false;
  #wake: (() => void) | undefined;

  private constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (piece: Buffer) => {
      this.#text += piece.toString('latin1');
      this.#wake?.();
    });
    const end = (): void => {
      this.#isEnded = true;
      this.#wake?.();
    };
    this.socket.on('end', end);
    this.socket.on('close', end);
    this.socket.on('error', end);
  }

  static async open(port: number): Promise<RawClient> {
    const client = new RawClient(port);
    await new Promise((resolve) => client.socket.once('connect', resolve));
    return client;
  }

  send(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  /** All that came so far, as soon as `pattern` is in it.
   *  Rejects when the connection ends before. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      if (pattern.test(this.#text)) return this.#text;
      if (this.#isEnded) throw new Error(`ended after: ${this.#text}`);
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }

  /** All that came until the server closed the connection. */
  async untilEnd(): Promise<string> {
    while (!this.#isEnded) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    return this.#text;
  }

  /** Says that nothing more will come, once all was sent. */
  async end(): Promise<void> {
    await new Promise<void>((resolve) => this.socket.end(() => resolve()));
  }

  close(): void {
    this.socket.destroy();
  }
}

/** A request's head, signed in as anna. */
export function headOf(
  method: string, target: string, headers: Readonly<Record<string, string | number>> = {},
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const auth = Buffer.from('anna:pw').toString('base64');
  return `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic ${auth}\r\n`
    + `${lines}\r\n`;
}

/** An HTTP proxy for tests that holds one request back until the test lets it go, so that what must
 *  not overtake it has every chance to. Everything else goes through unchanged. */
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Hold {
  method: string;
  /** `before`: the service does not see the request until then; `after`: its answer waits. */
  when: 'before' | 'after';
  reached: (letGo: () => void) => void;
}

export class Gatekeeper {
  readonly #server: Server;
  readonly #upstream: URL;
  #hold: Hold | undefined;
  /** Called on the way to the service and on the way back: requests overtake each other then. */
  dawdle: () => Promise<void> = () => Promise.resolve();

  private constructor(upstream: URL) {
    this.#upstream = upstream;
    this.#server = createServer((request, response) => {
      this.#pass(request, response).catch(() => request.socket.destroy());
    });
  }

  static async start(upstream: string): Promise<Gatekeeper> {
    const gate = new Gatekeeper(new URL(upstream));
    gate.#server.listen(0, '127.0.0.1');
    await once(gate.#server, 'listening');
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves when the next request of that method has come to the gate, with what opens it. */
  hold(method: string, when: Hold['when'] = 'after'): Promise<() => void> {
    return new Promise((reached) => {
      this.#hold = { method, when, reached };
    });
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method } = request;
    const body = await bytesOf(request);
    const hold = this.#hold?.method === method ? this.#hold : undefined;
    if (hold !== undefined) this.#hold = undefined;
    if (hold?.when === 'before') await waitAt(hold);
    await this.dawdle();
    const sent = httpRequest({
      host: this.#upstream.hostname, port: this.#upstream.port, method, path: request.url,
      headers: request.headers,
    });
    sent.end(body);
    const [answer] = await once(sent, 'response') as [IncomingMessage];
    const bytes = await bytesOf(answer);
    await this.dawdle();
    if (hold?.when === 'after') await waitAt(hold);
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    response.end(bytes);
  }
}

function waitAt(hold: Hold): Promise<void> {
  return new Promise((letGo) => hold.reached(letGo));
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

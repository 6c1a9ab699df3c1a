/**
 * Takes orders from commands on the same machine: HTTP on a free port of the loopback interface,
 * one order a request, the answer as lines of JSON: news while it runs, then the result or error.
 * Only who can read DIR/control.json knows the secret that every order must carry.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { faultToData, HoldfastError } from '../base/errors.ts';
import { nodeHttp } from '../platform/index.ts';
import type { Logger, Random } from '../platform/index.ts';
import { removeControlNote, writeControlNote } from './control-note.ts';
import type { Operations, PlainRecord } from './operation.ts';

const ORDER_BYTES_MAX = 1024 * 1024;
const ORDERS_MAX = 16;
const TOKEN_BYTES = 32;
const OP = 'operations/ControlServer';

export interface ControlServerOptions {
  /** The data directory. */
  readonly directory: string;
  readonly operations: Operations;
  readonly log: Logger;
  readonly random: Random;
}

export class ControlServer {
  readonly #options: ControlServerOptions;
  readonly #server: Server;
  readonly #token: string;
  readonly #running = new Set<AbortController>();

  private constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#token = options.random.token(TOKEN_BYTES);
    this.#server = nodeHttp.createServer((req, res) => {
      this.#answer(req, res).catch((err: unknown) => {
        options.log.error({ err }, 'an order could not be answered');
        res.destroy();
      });
    });
  }

  /** @throws unavailable: no port to be had, or the directory cannot be written. */
  static async open(options: ControlServerOptions): Promise<ControlServer> {
    const control = new ControlServer(options);
    const server = control.#server;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: '127.0.0.1', port: 0 }, () => resolve());
      });
      server.removeAllListeners('error');
      server.on('error', (err) => options.log.error({ err }, 'the control port failed'));
      const { port } = server.address() as AddressInfo;
      await writeControlNote(options.directory, { port, token: control.#token });
      return control;
    } catch (cause) {
      server.close();
      const message = 'The server cannot open the port through which commands reach it.';
      throw new HoldfastError('unavailable', OP, message, { cause });
    }
  }

  /** Tells what is running to stop, and waits for it. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await removeControlNote(this.#options.directory);
    const reason = new HoldfastError('unavailable', OP, 'The server is stopping.');
    for (const order of this.#running) order.abort(reason);
    this.#server.closeIdleConnections();
    await closed;
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.setHeader('Connection', 'close');
    if (!this.#isAllowed(req)) {
      res.writeHead(401).end();
      return;
    }
    res.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    // From here on whoever asked knows that the order has begun, even if nothing more comes.
    res.flushHeaders();
    const say = (line: PlainRecord): void => {
      // News that nobody reads in time are dropped; the result is not.
      if (line['progress'] === undefined || !res.writableNeedDrain) {
        res.write(`${onOneLine(line)}\n`);
      }
    };
    try {
      say({ result: await this.#carryOut(req, res, say) });
    } catch (error) {
      const { name } = (error ?? {}) as { name?: string };
      if (!(error instanceof HoldfastError) && name !== 'AbortError') {
        this.#options.log.error({ err: error }, 'an order failed');
      }
      say({ error: { ...faultToData(error, OP) } });
    }
    res.end();
  }

  async #carryOut(
    req: IncomingMessage, res: ServerResponse, say: (line: PlainRecord) => void,
  ): Promise<PlainRecord> {
    const { operation, input } = await readOrder(req);
    const act = Object.hasOwn(this.#options.operations, operation)
      ? this.#options.operations[operation] : undefined;
    if (act === undefined) {
      const message = 'The running server does not know this order. Is it of another version?';
      throw new HoldfastError('invalid', OP, message);
    }
    if (this.#running.size >= ORDERS_MAX) {
      throw new HoldfastError('busy', OP, 'Too many orders are running. Try again shortly.');
    }
    const order = new AbortController();
    this.#running.add(order);
    const gone = (): void => {
      order.abort(new HoldfastError('unavailable', OP, 'Whoever asked has gone away.'));
    };
    res.on('close', gone);
    try {
      this.#options.log.info({ operation }, 'an order from the command line');
      const { signal } = order;
      return await act(input, { progress: (news) => say({ progress: news }), signal });
    } finally {
      res.off('close', gone);
      this.#running.delete(order);
    }
  }

  #isAllowed({ headers, method }: IncomingMessage): boolean {
    const shown = /^Bearer (\S{1,200})$/.exec(headers.authorization ?? '')?.[1] ?? '';
    // Web pages cannot send this header unasked, and would not know the secret either.
    return method === 'POST' && timingSafeEqual(digest(shown), digest(this.#token));
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function readOrder(
  req: IncomingMessage,
): Promise<{ operation: string; input: PlainRecord }> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of req as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > ORDER_BYTES_MAX) throw malformed();
    pieces.push(piece);
  }
  let order: unknown;
  try {
    order = JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    throw malformed();
  }
  const { operation, input } = (order ?? {}) as { operation?: unknown; input?: unknown };
  if (typeof operation !== 'string' || typeof input !== 'object' || input === null) {
    throw malformed();
  }
  return { operation, input: input as PlainRecord };
}

function malformed(): HoldfastError {
  return new HoldfastError('invalid', OP, 'This is no order that the server understands.');
}

/** Names of files may hold line ends of Unicode, at which readers of lines stop too. */
function onOneLine(value: PlainRecord): string {
  return JSON.stringify(value)
    .replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`);
}

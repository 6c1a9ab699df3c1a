/** The few answers the server gives by itself, and its care for bodies nobody reads. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { HttpExchange } from './exchange.ts';
import { nodeHttp } from './node-http.ts';

export function answerPlainly(res: ServerResponse, status: number, text?: string): void {
  const body = `${text ?? nodeHttp.STATUS_CODES[status] ?? String(status)}\n`;
  res.statusCode = status;
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.end(body);
}

/** After a handler has thrown: a 500 if nothing went out yet, else a cut that no client can take
 *  for the end of an answer. */
export function failExchange(exchange: HttpExchange, error: unknown): void {
  const { req, res } = exchange;
  if (exchange.aborted || res.destroyed) {
    exchange.log.debug({ err: error }, 'request given up');
    req.socket.destroy();
    return;
  }
  exchange.log.error({ err: error, method: req.method }, 'request failed');
  if (res.writableEnded) return;
  if (res.headersSent) {
    req.socket.destroy();
    return;
  }
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  answerPlainly(res, 500, `Something went wrong here. Request id: ${exchange.requestId}`);
}

/**
 * A client that sent `Expect: 100-continue` waits to be asked for its body (RFC 9110, section
 * 10.1.1). We ask when somebody first reads. Until then an answer closes the connection, since the
 * client may or may not send the body it announced.
 */
export function askWhenRead(exchange: HttpExchange): void {
  const { req, res } = exchange;
  const read = req._read.bind(req);
  exchange.awaitsContinue = true;
  res.shouldKeepAlive = false;
  req._read = (sizeBytes) => {
    req._read = read;
    exchange.awaitsContinue = false;
    if (!res.headersSent && !res.destroyed) {
      res.shouldKeepAlive = true;
      res.writeContinue();
    }
    read(sizeBytes);
  };
}

const DISCARD_BYTES_MAX = 64 * 1024 * 1024;
const DISCARD_MS_MAX = 10_000;

/** The answer is out but the client still sends: closing at once would make its kernel throw the
 *  answer away, so we read on for a while and then close. */
export function discardRest(req: IncomingMessage, clock: Clock): void {
  const { socket } = req;
  let discardedBytes = 0;
  const cancel = clock.after(DISCARD_MS_MAX, () => socket.destroy());
  req.on('data', (chunk: Buffer) => {
    discardedBytes += chunk.length;
    if (discardedBytes > DISCARD_BYTES_MAX) socket.destroy();
  });
  req.on('close', cancel);
  req.resume();
}

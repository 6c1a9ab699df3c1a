/** The bare Node server beneath HttpServer: its limits, its certificate, its address. */
import { readFile } from 'node:fs/promises';
import type http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { HoldfastError } from '../../base/errors.ts';
import { nodeHttp } from './node-http.ts';
import { TracedResponse } from './traced-response.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export interface TlsFiles {
  readonly certPath: string;
  readonly keyPath: string;
}

/** Several requests may follow one another on a connection: longer than common proxies keep one. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_TIMEOUT_MS = 30_000;
const HEADER_BYTES_MAX = 32 * 1024;
export const HEADERS_MAX = 128;

type Request = typeof http.IncomingMessage;
export type NodeServer =
  http.Server<Request, typeof TracedResponse> | https.Server<Request, typeof TracedResponse>;

/** `wantsUpgrade` says whether a request that asks for another protocol is to leave HTTP. */
export async function makeNodeServer(
  tls: TlsFiles | undefined, wantsUpgrade: (req: http.IncomingMessage) => boolean,
): Promise<NodeServer> {
  const limits = {
    shouldUpgradeCallback: wantsUpgrade,
    requestTimeout: 0, // A large upload takes what it takes; a stalled one is cut elsewhere.
    headersTimeout: HEADERS_TIMEOUT_MS,
    connectionsCheckingInterval: 5_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    joinDuplicateHeaders: false,
    insecureHTTPParser: false,
    ServerResponse: TracedResponse,
  };
  const server = tls === undefined
    ? nodeHttp.createServer(limits)
    : https.createServer({ ...limits, ...(await readTls(tls)), ...TLS_RULES });
  // Node drops surplus headers silently: one more than we allow shows that there were too many.
  server.maxHeadersCount = HEADERS_MAX + 1;
  server.on('clientError', answerClientError);
  return server;
}

const TLS_RULES = {
  minVersion: 'TLSv1.2',
  handshakeTimeout: 10_000,
  ALPNProtocols: ['http/1.1'],
} as const;

/** @throws invalid: a file that cannot be read. */
export async function readTls(files: TlsFiles): Promise<{ cert: Buffer; key: Buffer }> {
  try {
    const [cert, key] = await Promise.all([readFile(files.certPath), readFile(files.keyPath)]);
    return { cert, key };
  } catch (cause) {
    const message = 'The TLS certificate or key cannot be read. Check both paths and permissions.';
    throw new HoldfastError('invalid', 'platform/HttpServer.open', message, { cause });
  }
}

export async function listen(server: NodeServer, address: ListenAddress): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const message = LISTEN_ADVICE[cause.code ?? ''] ?? 'Cannot listen on this address.';
      const options = { cause, facts: { host: address.host, port: address.port } };
      reject(new HoldfastError('unavailable', 'platform/HttpServer.open', message, options));
    });
    server.listen({ host: address.host, port: address.port, backlog: 1024 }, () => resolve());
  });
  server.removeAllListeners('error');
  return server.address() as AddressInfo;
}

const LISTEN_ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another program already listens there. Choose another port with --listen.',
  EACCES: 'Ports below 1024 need special rights. Choose a higher one with --listen.',
  EADDRNOTAVAIL: 'This machine does not have that address. Choose another with --listen.',
};

/** Answers what never became a request. The socket may already be gone, or inside an answer. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  const untouched = 'bytesWritten' in socket && socket.bytesWritten === 0;
  if (!socket.writable || error.code === 'ECONNRESET' || !(untouched || isIdle(socket))) {
    socket.destroy();
    return;
  }
  const status = CLIENT_ERROR[error.code ?? ''] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** Node marks a socket with the response that is being written to it. */
function isIdle(socket: Duplex): boolean {
  const { _httpMessage: response } = socket as { _httpMessage?: http.ServerResponse | null };
  return response === undefined || response === null || response.writableFinished;
}

const CLIENT_ERROR: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Content Too Large',
};

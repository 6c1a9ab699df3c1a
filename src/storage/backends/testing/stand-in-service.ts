/**
 * A stand-in for the services that no free server of the S3 protocol is like. It does what their
 * documentation says of the requests that the store makes, and is strict: it works out every
 * signature itself, refuses bodies that do not match theirs, and refuses headers that it does not
 * know, so that the store cannot lean on something that is only there at another service.
 *
 * - `gcs`: Google Cloud Storage's XML API. Tells a CRC-32C; no conditional puts.
 * - `amazon`: tells the SHA-256 that it was given and has checked, where one asks for it.
 * - `plain`: knows neither checksum headers nor conditional puts, and refuses both.
 * - `opaque`: tells nothing that proves the bytes, as with encryption under one's own keys.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import aws4 from 'aws4';
import { portableCrc32c } from '../s3/crc32c.ts';
import { STAND_IN_CERTIFICATE } from './stand-in-certificate.ts';

export const STAND_IN_KEY = { accessKeyId: 'STANDIN', secretAccessKey: 'only for tests' };
export const STAND_IN_BUCKET = 'holdfast-test';

interface Stored {
  bytes: Buffer;
  label: string | undefined;
}

export type Flavour = 'gcs' | 'amazon' | 'plain' | 'opaque';

const KNOWN_HEADERS = [
  'host', 'connection', 'authorization', 'x-amz-date', 'x-amz-content-sha256', 'content-type',
  'content-length', 'range', 'x-amz-meta-holdfast',
];
const AMAZON_HEADERS = ['x-amz-checksum-sha256', 'x-amz-checksum-mode', 'if-none-match'];
const PAGE_KEYS_MAX = 1000;
const STRANGE: [number, string] = [400, 'InvalidArgument'];

export class StandInService {
  readonly objects = new Map<string, Stored>();
  readonly #flavour: Flavour;
  readonly #server: Server;

  readonly #tls: boolean;

  private constructor(flavour: Flavour, tls: boolean) {
    this.#flavour = flavour;
    this.#tls = tls;
    const serve: RequestListener = (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        fail(response, 500, `Bug${String(error)}`);
      });
    };
    this.#server = tls ? createTlsServer(STAND_IN_CERTIFICATE, serve) : createServer(serve);
  }

  static async start(flavour: Flavour, tls = false): Promise<StandInService> {
    const service = new StandInService(flavour, tls);
    service.#server.listen(0, '127.0.0.1');
    await once(service.#server, 'listening');
    return service;
  }

  get url(): string {
    const scheme = this.#tls ? 'https' : 'http';
    return `${scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const body = Buffer.concat(parts);
    if (this.#flavour === 'plain' && request.headers['if-none-match'] !== undefined) {
      return fail(response, 501, 'NotImplemented');
    }
    const refused = this.#isStrange(request) ? STRANGE : refusal(request, body);
    if (refused !== undefined) return fail(response, ...refused);
    const url = new URL(request.url ?? '/', 'http://service');
    const [, bucket, ...rest] = url.pathname.split('/');
    if (bucket !== STAND_IN_BUCKET) return fail(response, 404, 'NoSuchBucket');
    const key = rest.join('/');
    if (request.method === 'PUT') return this.#put(request, response, key, body);
    if (request.method === 'DELETE') {
      this.objects.delete(key);
      response.writeHead(204).end();
      return undefined;
    }
    if (key === '') return this.#list(response, url.searchParams);
    const found = this.objects.get(key);
    if (found === undefined) return fail(response, 404, 'NoSuchKey');
    return give(request, response, found, headersOf(found, this.#flavour));
  }

  #isStrange({ headers }: IncomingMessage): boolean {
    const knowsLittle = this.#flavour === 'gcs' || this.#flavour === 'plain';
    const known = knowsLittle ? KNOWN_HEADERS : [...KNOWN_HEADERS, ...AMAZON_HEADERS];
    const region = this.#flavour === 'gcs' ? 'auto' : 'us-east-1';
    const isThere = headers.authorization?.includes(`/${region}/s3/`) === true;
    return !isThere || Object.keys(headers).some((name) => !known.includes(name));
  }

  #put(request: IncomingMessage, response: ServerResponse, key: string, bytes: Buffer): void {
    if (request.headers['if-none-match'] === '*' && this.objects.has(key)) {
      return fail(response, 412, 'PreconditionFailed');
    }
    const label = request.headers['x-amz-meta-holdfast'];
    const stored = { bytes, label: label === undefined ? undefined : String(label) };
    this.objects.set(key, stored);
    response.writeHead(200, headersOf(stored, this.#flavour)).end();
  }

  #list(response: ServerResponse, query: URLSearchParams): void {
    if (query.get('list-type') !== '2') return fail(response, 400, 'InvalidArgument');
    const prefix = query.get('prefix') ?? '';
    const after = query.get('start-after') ?? '';
    const all = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after);
    const keys = all.sort().slice(0, Math.min(PAGE_KEYS_MAX, Number(query.get('max-keys'))));
    const contents = keys.map((key) => {
      const sizeBytes = this.objects.get(key)?.bytes.length ?? 0;
      return `<Contents><Key>${key}</Key><Size>${sizeBytes}</Size></Contents>`;
    });
    response.writeHead(200, { 'content-type': 'application/xml' }).end(
      '<?xml version=\'1.0\' encoding=\'UTF-8\'?><ListBucketResult '
      + `xmlns='http://doc.s3.amazonaws.com/2006-03-01'><Name>${STAND_IN_BUCKET}</Name>`
      + `<Prefix>${prefix}</Prefix><IsTruncated>${all.length > keys.length}</IsTruncated>`
      + `<KeyCount>${keys.length}</KeyCount>${contents.join('')}</ListBucketResult>`,
    );
  }
}

/** Works the signature out again, over the headers that the client says it signed. */
function refusal(request: IncomingMessage, body: Buffer): [number, string] | undefined {
  const given = request.headers.authorization ?? '';
  const names = /SignedHeaders=([a-z0-9;-]+)/.exec(given)?.[1]?.split(';') ?? [];
  const headers = Object.fromEntries(names.map((name) => [name, String(request.headers[name])]));
  const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(given)?.[1];
  const again = { service: 's3', region, method: request.method, path: request.url, headers };
  const right = aws4.sign(again as aws4.Request, STAND_IN_KEY).headers?.['Authorization'];
  if (!given.includes(`Credential=${STAND_IN_KEY.accessKeyId}/`)) return [403, 'InvalidSecurity'];
  if (given !== right) return [403, 'SignatureDoesNotMatch'];
  const sha256 = createHash('sha256').update(body).digest();
  const told = request.headers['x-amz-checksum-sha256'] ?? sha256.toString('base64');
  const isRight = sha256.toString('hex') === request.headers['x-amz-content-sha256'];
  return isRight && told === sha256.toString('base64') ? undefined : [400, 'BadDigest'];
}

function headersOf({ bytes, label }: Stored, flavour: Flavour): Record<string, string> {
  const md5 = createHash('md5').update(bytes);
  const meta = { ...(label !== undefined && { 'x-amz-meta-holdfast': label }) };
  if (flavour === 'opaque') return { etag: `"${'0'.repeat(32)}"`, ...meta };
  const etag = `"${md5.copy().digest('hex')}"`;
  if (flavour === 'amazon') {
    const sha256 = createHash('sha256').update(bytes).digest('base64');
    return { etag, 'x-amz-checksum-sha256': sha256, ...meta };
  }
  if (flavour === 'plain') return { etag, ...meta };
  const crc32c = Buffer.alloc(4);
  crc32c.writeUInt32BE(portableCrc32c(bytes));
  const sums = `crc32c=${crc32c.toString('base64')},md5=${md5.digest('base64')}`;
  return { etag, 'x-goog-hash': sums, ...meta };
}

function give(
  request: IncomingMessage, response: ServerResponse, { bytes }: Stored,
  headers: Record<string, string>,
): void {
  // Amazon tells its checksum only to who asks, and never of a part.
  if (request.headers['x-amz-checksum-mode'] === undefined) delete headers['x-amz-checksum-sha256'];
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const from = range === null ? 0 : Number(range[1]);
  const end = range === null ? bytes.length : Math.min(bytes.length, Number(range[2]) + 1);
  if (from >= end) return fail(response, 416, 'InvalidRange');
  response.writeHead(range === null ? 200 : 206, {
    ...headers,
    'content-length': String(end - from),
    ...(range !== null && { 'content-range': `bytes ${from}-${end - 1}/${bytes.length}` }),
  });
  response.end(request.method === 'HEAD' ? undefined : bytes.subarray(from, end));
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' })
    .end(`<?xml version='1.0' encoding='UTF-8'?><Error><Code>${code}</Code></Error>`);
}

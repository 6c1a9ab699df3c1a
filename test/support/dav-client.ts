/** A plain WebDAV client over node:http. It judges nothing: it returns what the server said. */
import http from 'node:http';
import https from 'node:https';
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { within } from './deadline.ts';

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

class ReadAnswer implements Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;

  constructor({ statusCode, headers }: http.IncomingMessage, body: Buffer) {
    this.status = statusCode ?? 0;
    this.headers = headers;
    this.body = body;
  }

  /** Made when it is asked for: most large bodies are no text. */
  get text(): string {
    return this.body.toString('utf8');
  }
}

export interface Ask {
  readonly headers?: Readonly<Record<string, string | number | string[]>>;
  readonly body?: string | Uint8Array | Readable;
  readonly timeoutMs?: number;
  /** Sends the body only when the server has said that it wants it. */
  readonly waitsForLeave?: boolean;
  readonly agent?: http.Agent;
  /** For a certificate that the test has made itself. */
  readonly ca?: string | Buffer;
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

export function basic({ name, password }: Credentials): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

/** Sends one request and reads the whole answer. The target is sent as it stands. */
export async function ask(method: string, url: string, wanted: Ask = {}): Promise<Answer> {
  const [, scheme, host, target] = /^(https?):\/\/([^/?#]+)(.*)$/.exec(url) ?? [];
  const [name, port] = (host ?? '').split(/:(?=\d+$)/);
  const library = scheme === 'https' ? https : http;
  const exchange = new Promise<Answer>((resolve, reject) => {
    const request = library.request({
      method, host: name ?? '', port: Number(port ?? 80), path: target === '' ? '/' : target,
      headers: {
        ...lengthOf(wanted.body), ...wanted.headers,
        ...(wanted.waitsForLeave === true && { Expect: '100-continue' }),
      },
      agent: wanted.agent ?? false,
      ...(wanted.ca !== undefined && { ca: wanted.ca }),
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        resolve(new ReadAnswer(response, Buffer.concat(pieces)));
      });
    });
    if (wanted.waitsForLeave === true) {
      request.flushHeaders();
      request.on('continue', () => sendBody(request, wanted.body));
    } else {
      sendBody(request, wanted.body);
    }
  });
  return within(wanted.timeoutMs ?? 60_000, `${method} ${target ?? url}`, exchange);
}

function sendBody(request: http.ClientRequest, body: Ask['body']): void {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) {
    request.end(body);
    return;
  }
  body.on('error', (error) => request.destroy(error));
  body.pipe(request);
}

function lengthOf(body: Ask['body']): Record<string, number> {
  if (typeof body === 'string') return { 'Content-Length': Buffer.byteLength(body) };
  return body instanceof Uint8Array ? { 'Content-Length': body.length } : {};
}

export type Tree = Map<string, string>;

export function fingerprint(bytes: Uint8Array): string {
  return `${bytes.length} bytes, ${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Each name of a path percent-encoded. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

export interface Member {
  /** Decoded, relative to the user's root, without a slash at either end. */
  readonly path: string;
  readonly isFolder: boolean;
  readonly xml: string;
}

/** Acts for one user in that user's files. Paths are plain text, relative to the root. */
export class DavClient {
  readonly credentials: Credentials;
  readonly agent: http.Agent;
  readonly #base: () => string;

  constructor(base: () => string, credentials: Credentials) {
    this.#base = base;
    this.credentials = credentials;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  }

  get name(): string {
    return this.credentials.name;
  }

  get password(): string {
    return this.credentials.password;
  }

  get root(): string {
    return `/remote.php/dav/files/${this.name}/`;
  }

  /** Any request under the server's address, with this user's credentials. */
  async ask(method: string, target: string, wanted: Ask = {}): Promise<Answer> {
    const headers = { Authorization: basic(this.credentials), ...wanted.headers };
    return ask(method, this.#base() + target, { agent: this.agent, ...wanted, headers });
  }

  async file(method: string, path: string, wanted: Ask = {}): Promise<Answer> {
    return this.ask(method, this.root + encodePath(path), wanted);
  }

  async put(
    path: string, body: NonNullable<Ask['body']>, headers: Ask['headers'] = {},
  ): Promise<Answer> {
    return this.file('PUT', path, { body, headers, timeoutMs: 120_000 });
  }

  async get(path: string, headers: Ask['headers'] = {}): Promise<Answer> {
    return this.file('GET', path, { headers });
  }

  async makeFolder(path: string): Promise<Answer> {
    return this.file('MKCOL', path);
  }

  async remove(path: string): Promise<Answer> {
    return this.file('DELETE', path);
  }

  async move(from: string, to: string, headers: Ask['headers'] = {}): Promise<Answer> {
    const destination = this.root + encodePath(to);
    return this.file('MOVE', from, { headers: { Destination: destination, ...headers } });
  }

  async copy(from: string, to: string, headers: Ask['headers'] = {}): Promise<Answer> {
    const destination = this.root + encodePath(to);
    return this.file('COPY', from, { headers: { Destination: destination, ...headers } });
  }

  /** The members of a folder, itself left out. */
  async list(path = ''): Promise<Member[]> {
    const answer = await this.file('PROPFIND', path, { headers: { Depth: '1' } });
    const { status, text } = answer;
    if (status !== 207) throw new Error(`PROPFIND answered ${status}: ${text}`);
    const own = path.replace(/\/$/, '');
    return membersOf(text, this.root).filter((member) => member.path !== own);
  }

  /** Everything the server holds for this user: each file read in full. */
  async tree(path = '', found: Tree = new Map()): Promise<Tree> {
    for (const member of await this.list(path)) {
      if (member.isFolder) {
        found.set(member.path, 'folder');
        await this.tree(member.path, found);
        continue;
      }
      const { status, body } = await this.get(member.path);
      found.set(member.path, status === 200 ? fingerprint(body) : `status ${status}`);
    }
    return found;
  }
}

/** What a multistatus answer lists. Enough of XML for our own server's answers. */
export function membersOf(multistatus: string, root: string): Member[] {
  const responses = multistatus.split(/<(?:\w+:)?response[\s>]/).slice(1);
  return responses.map((xml) => {
    const href = /<(?:\w+:)?href>([^<]*)</.exec(xml)?.[1] ?? '';
    const plain = href.replaceAll('&amp;', '&').replaceAll('&lt;', '<').replaceAll('&gt;', '>');
    const target = decodeURIComponent(plain.replaceAll('&apos;', '\'').replaceAll('&#39;', '\''));
    if (!target.startsWith(root)) throw new Error(`The address ${target} is not below ${root}.`);
    return {
      path: target.slice(root.length).replace(/\/$/, ''),
      isFolder: /<(?:\w+:)?collection\b/.test(xml),
      xml,
    };
  });
}

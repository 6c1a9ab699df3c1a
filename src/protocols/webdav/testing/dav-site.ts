/** A whole WebDAV server on stores in memory, for tests: real HTTP on a free port. */
import http from 'node:http';
import { HoldfastError } from '../../../base/errors.ts';
import { DEFAULT_TENANT, parseUserId } from '../../../base/ids.ts';
import {
  Batches, ContentStore, FileService, SpaceDirectory, TimeService, UploadService,
} from '../../../files/index.ts';
import type { Caller } from '../../../identity/index.ts';
import {
  MemoryMetadataStore,
} from '../../../metadata/stores/memory/memory-metadata-store.ts';
import {
  HttpServer, ManualClock, SeededRandom, silentLog, systemClock,
} from '../../../platform/index.ts';
import type { Exchange, HttpServerOptions } from '../../../platform/index.ts';
import { MemoryBlockStore } from '../../../storage/backends/memory/memory-block-store.ts';
import { davRoutes } from '../dav-routes.ts';
import { pastRoutes } from '../past/past-routes.ts';

export const START_MS = Date.UTC(2026, 10, 21, 12);
export const FILES = '/remote.php/dav/files/anna';

export function callerNamed(user: string): Caller {
  return {
    user: parseUserId(user), tenant: DEFAULT_TENANT, displayName: user, admin: false,
    device: 'test', credential: 'password', groups: [], groupsRev: 0,
  };
}

/** Everybody's password is `pw`. */
function authenticate({ req }: Exchange): Caller {
  const [user, password] = Buffer.from((req.headers.authorization ?? '').slice(6), 'base64')
    .toString().split(':');
  if (user === undefined || password !== 'pw') {
    throw new HoldfastError('unauthenticated', 'test/authenticate', 'Who are you?');
  }
  return callerNamed(user);
}

export class DavSite {
  readonly clock = new ManualClock(START_MS);
  readonly blocks = new MemoryBlockStore();
  readonly metadata = new MemoryMetadataStore();
  readonly files: FileService;
  readonly uploads: UploadService;
  readonly server: HttpServer;

  private constructor(
    server: HttpServer, options: { quotaBytes?: number | undefined; now?: () => number },
  ) {
    const { blocks, metadata } = this;
    const now = options.now ?? ((): number => this.clock.now());
    const content = new ContentStore({
      blocks, metadata, witness: () => [], claims: blocks.reclaim,
    });
    const defaults = { casePolicy: 'sensitive' as const, quotaBytes: options.quotaBytes };
    const spaces = new SpaceDirectory({ metadata, defaults, now });
    this.files = new FileService({ metadata, content, spaces, now });
    this.uploads = new UploadService({ metadata, content, files: this.files, spaces, now });
    const groupsAt = async () => [];
    const batches = new Batches({ metadata, content, now });
    const time = new TimeService({ metadata, content, spaces, batches, now, groupsAt });
    this.server = server;
    const parts = {
      files: this.files, time, authenticator: { authenticate }, instanceId: 'hftest', now,
      random: new SeededRandom(1),
    };
    server.serve([...davRoutes(parts), ...pastRoutes(parts)]);
  }

  static async open(
    options: {
      quotaBytes?: number; now?: () => number; port?: number; log?: HttpServerOptions['log'];
    } = {},
  ): Promise<DavSite> {
    const server = await HttpServer.open({
      listen: { host: '127.0.0.1', port: options.port ?? 0 }, log: options.log ?? silentLog,
      clock: systemClock,
    });
    return new DavSite(server, options);
  }

  async close(): Promise<void> {
    await this.server.drain(1000);
  }

  /** One request; the answer's body as text. */
  ask(method: string, path: string, options: AskOptions = {}): Promise<Answer> {
    return askServer(this.server.port, method, { path, ...options });
  }
}

export interface AskOptions {
  headers?: http.OutgoingHttpHeaders;
  body?: string | Uint8Array;
  /** Sends the body without a length. */
  chunked?: boolean;
  user?: string;
  agent?: http.Agent;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  bytes: Buffer;
  text: string;
}

function askServer(
  port: number, method: string, options: AskOptions & { path: string },
): Promise<Answer> {
  const { path, headers = {}, body, chunked, user = 'anna', agent } = options;
  const length = body === undefined || chunked === true ? {}
    : { 'Content-Length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const req = http.request({
      host: '127.0.0.1', port, method, path, ...(agent && { agent }), auth: `${user}:pw`,
      headers: { ...length, ...headers },
    }, (res) => {
      const pieces: Buffer[] = [];
      res.on('data', (piece: Buffer) => pieces.push(piece));
      res.on('error', reject);
      res.on('end', () => {
        const bytes = Buffer.concat(pieces);
        const { statusCode: status = 0, headers: answered } = res;
        resolve({ status, headers: answered, bytes, text: bytes.toString() });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

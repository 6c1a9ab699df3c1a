/** The whole server on stores in memory, for tests: real HTTP on a free port, all protocols. */
import http from 'node:http';
import {
  Batches, Brake, BrakeService, ContentStore, FileService, FolderZips, Links, Quarantines, runKeep,
  SharingService, SpaceDirectory, TimeService, TrashContent, TrashService, UploadService,
  VersionService,
} from '../../../files/index.ts';
import type { BrakePolicy, BrokenLock, GroupsAt } from '../../../files/index.ts';
import type { Invitations } from '../../../files/index.ts';
import { peopleOf } from '../../people.ts';
import { Identity } from '../../../identity/index.ts';
import type { IdentityConfig } from '../../../identity/index.ts';
import {
  MemoryIdentityStore,
} from '../../../identity/stores/memory/memory-identity-store.ts';
import {
  MemoryMetadataStore,
} from '../../../metadata/stores/memory/memory-metadata-store.ts';
import {
  HttpServer, ManualClock, SeededRandom, silentLog, systemClock, TrustedProxies,
} from '../../../platform/index.ts';
import type { Route } from '../../../platform/index.ts';
import { MemoryBlockStore } from '../../../storage/backends/memory/memory-block-store.ts';
import { Authenticator } from '../../authenticate.ts';
import { pageRoutes } from '../../pages/page-routes.ts';
import { davRoutes } from '../../webdav/dav-routes.ts';
import { publicDavRoutes } from '../../webdav/public-routes.ts';
import { nextcloudRoutes } from '../nextcloud-routes.ts';
import { unavailableHandler } from '../unavailable.ts';

export const START_MS = Date.UTC(2026, 10, 21, 12);
export const PASSWORD = 'correct horse battery';

export interface SiteOptions {
  quotaBytes?: number;
  onLockBroken?: (broken: BrokenLock) => void;
  bulkUpload?: 'off' | 'on';
  identity?: Partial<IdentityConfig>;
  /** No user yet. */
  isEmpty?: boolean;
  /** Links can be sent by mail. */
  invitations?: Invitations;
  port?: number;
  brake?: BrakePolicy;
  /** Where `/` leads. */
  webPage?: string;
  /** Routes of other protocols, on the same services. */
  moreRoutes?: (parts: SiteParts) => Route[];
}

export interface SiteParts {
  files: FileService;
  uploads: UploadService;
  sharing: SharingService;
  trash: TrashService;
  versions: VersionService;
  time: TimeService;
  identity: Identity;
  authenticator: Authenticator;
  metadata: MemoryMetadataStore;
  spaces: SpaceDirectory;
  content: ContentStore;
  instanceId: string;
  now: () => number;
  random: SeededRandom;
}

export class CloudSite {
  readonly clock = new ManualClock(START_MS);
  readonly files: FileService;
  readonly uploads: UploadService;
  readonly sharing: SharingService;
  readonly identity: Identity;
  readonly server: HttpServer;
  readonly #batches: Batches;
  readonly #metadata: MemoryMetadataStore;

  private constructor(server: HttpServer, identity: Identity, options: SiteOptions) {
    const metadata = new MemoryMetadataStore();
    const now = (): number => this.clock.now();
    const blocks = new MemoryBlockStore();
    const content = new ContentStore({
      blocks, metadata, witness: () => [], claims: blocks.reclaim,
    });
    const defaults = { casePolicy: 'sensitive' as const, quotaBytes: options.quotaBytes };
    const people = peopleOf(identity);
    const spaces = new SpaceDirectory({ metadata, defaults, now, people });
    const quarantines = new Quarantines({ metadata });
    const policy = options.brake ?? { limit: 0, windowMs: 1_000 };
    const brake = new Brake({ metadata, quarantines, policy, now });
    this.#batches = new Batches({
      metadata, content, now, keep: (batch, run) => runKeep({ metadata, quarantines }, batch, run),
    });
    const brakes = new BrakeService({ metadata, quarantines, batches: this.#batches, now });
    this.files = new FileService({
      metadata, content, spaces, now, onLockBroken: options.onLockBroken, brake,
    });
    this.#metadata = metadata;
    this.uploads = new UploadService({ metadata, content, files: this.files, spaces, now });
    this.identity = identity;
    this.server = server;
    const { files, uploads } = this;
    const passwords = identity.linkPasswords;
    const sharing = new SharingService({
      metadata, spaces, people, passwords, random: new SeededRandom(2), now,
      invitations: options.invitations,
    });
    this.sharing = sharing;
    const trash = new TrashService({ metadata, spaces, now });
    const trashContent = new TrashContent({ trash, metadata, content });
    const groupsAt: GroupsAt = (user, at) => identity.groups.groupsAt(user, at);
    const versions = new VersionService({ files, metadata, content, spaces, now, groupsAt });
    const links = new Links({ metadata, people, passwords, now });
    const authenticator = new Authenticator(identity);
    const parts = {
      files, uploads, sharing, links, identity, clock: this.clock, authenticator,
      instanceId: 'hftest', now,
      random: new SeededRandom(1), bulkUpload: options.bulkUpload ?? 'off',
      ...(options.webPage !== undefined && { webPage: options.webPage }),
      trash, trashContent, versions, brakes, metadata, spaces, content,
      time: new TimeService({ metadata, content, spaces, batches: this.#batches, now, groupsAt }),
    };
    server.serve([
      ...davRoutes(parts), ...publicDavRoutes(parts), ...nextcloudRoutes(parts),
      ...pageRoutes({ ...parts, zips: new FolderZips({ files: this.files, content }) }),
      ...(options.moreRoutes?.(parts) ?? []),
    ]);
  }

  /** Resolves when all batches have ended. */
  async settled(): Promise<void> {
    for (const { id } of await this.#metadata.listBatches({}, 100)) await this.#batches.settled(id);
  }

  static async open(options: SiteOptions = {}): Promise<CloudSite> {
    const server = await HttpServer.open({
      listen: { host: '127.0.0.1', port: options.port ?? 0 }, log: silentLog, clock: systemClock,
      gate: unavailableHandler, trustedProxies: TrustedProxies.parse('loopback'),
    });
    const hashCost = { memoryKib: 8, passes: 1, parallelism: 1 };
    const identity = await Identity.open({
      store: new MemoryIdentityStore(), clock: new ManualClock(START_MS),
      config: { hashCost, ...options.identity },
    });
    if (options.isEmpty !== true) {
      const password = PASSWORD;
      await identity.users.add({ id: 'anna', password, displayName: 'Anna', admin: true });
      await identity.users.add({ id: 'ben', password });
    }
    return new CloudSite(server, identity, options);
  }

  async close(): Promise<void> {
    await this.server.drain(1000);
    await this.identity.close();
  }

  /** One request with Anna's Basic credentials; `auth: undefined` sends none. */
  ask(method: string, path: string, options: AskOptions = {}): Promise<Answer> {
    const auth = 'auth' in options ? options.auth : `anna:${PASSWORD}`;
    const { headers = {}, body } = options;
    return ask({ port: this.server.port, method, path, headers, body, auth });
  }

  /** A GET of the OCS interface, as JSON. */
  async ocs(path: string, options: AskOptions = {}): Promise<Answer> {
    return this.ask('GET', path, {
      ...options, headers: { 'OCS-APIRequest': 'true', ...options.headers },
    });
  }
}

export interface AskOptions {
  headers?: http.OutgoingHttpHeaders;
  body?: string | Uint8Array | undefined;
  auth?: string | undefined;
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  text: string;
}

export function ask(options: AskOptions & {
  port: number; method: string; path: string;
}): Promise<Answer> {
  const { port, method, path, headers = {}, body, auth } = options;
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const req = http.request({
      port, method, path, agent: false, headers: { ...length, ...headers },
      ...(auth !== undefined && { auth }),
    }, (res) => {
      const pieces: Buffer[] = [];
      res.on('data', (piece: Buffer) => pieces.push(piece));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(pieces).toString();
        resolve({ status: res.statusCode ?? 0, headers: res.headers, text });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

/** For tests: files of several people on stores in memory, with what they share. */
import { HoldfastError } from '../../base/errors.ts';
import type { ErrorKind } from '../../base/errors.ts';
import { DEFAULT_TENANT, parseGroupId, parseTenantId, parseUserId } from '../../base/ids.ts';
import type { GroupId, TenantId, UserId } from '../../base/ids.ts';
import { parsePath } from '../../base/names.ts';
import type { Name } from '../../base/names.ts';
import type { Role } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import type { ChangeResult, MetadataStore, Subject } from '../../metadata/index.ts';
import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import { SeededRandom } from '../../platform/index.ts';
import { MemoryBlockStore } from '../../storage/backends/memory/memory-block-store.ts';
import { bodyOf } from '../body.ts';
import { ContentStore } from '../content-store.ts';
import { etagOf } from '../etag.ts';
import { FileService } from '../file-service.ts';
import type { Invitations } from '../sharing/invitations.ts';
import { Links } from '../sharing/links.ts';
import type { LinkRead } from '../sharing/links.ts';
import { SharingService } from '../sharing/sharing-service.ts';
import { SpaceDirectory } from '../space-directory.ts';
import { UploadService } from '../upload-service.ts';

export const NOW = Date.UTC(2026, 10, 21);

export function callerNamed(
  user: string, groups: string[] = [], groupsRev = 0, tenant = DEFAULT_TENANT,
): Caller {
  return {
    user: parseUserId(user), tenant, displayName: user, admin: false, device: 'test',
    credential: 'password', groups: groups.map(parseGroupId), groupsRev,
  };
}

export const anna = callerNamed('anna');
export const ben = callerNamed('ben');
export const carl = callerNamed('carl');

/** Users of another tenant than all others. */
const STRANGERS = ['eve', 'finn'];
export const ACME = parseTenantId('acme');
export const eve = callerNamed('eve', [], 0, ACME);

function tenantOf(user: string): TenantId {
  return STRANGERS.includes(user) ? ACME : DEFAULT_TENANT;
}

export const pathOf = (raw: string): Name[] =>
  parsePath(raw.split('/').filter((part) => part !== ''));

export function failsWith(kind: ErrorKind, code?: string): (error: unknown) => boolean {
  return (error) => error instanceof HoldfastError && error.kind === kind
    && (code === undefined || error.code === code);
}

export class ShareSite {
  now = NOW;
  readonly metadata: MetadataStore;
  readonly content: ContentStore;
  readonly spaces: SpaceDirectory;
  readonly files: FileService;
  readonly uploads: UploadService;
  readonly sharing: SharingService;
  readonly links: Links;
  /** Users who may not sign in any more. */
  readonly away = new Set<string>();
  /** Where mail for users goes. */
  readonly addresses = new Map<string, string>();
  /** Groups of those who have made something. */
  readonly groups = new Map<string, string[]>();
  /** Groups that somebody was in before the present ones, with the instant at which that ended. */
  readonly groupsBefore = new Map<string, { until: number; groups: string[] }>();
  /** Downloads by links that are told. */
  readonly reads: LinkRead[] = [];
  /** Of links: every wrong password. */
  readonly knocks: string[] = [];

  constructor(options: {
    metadata?: MetadataStore; quotaBytes?: number; invitations?: Invitations;
  } = {}) {
    const now = (): number => this.now;
    const blocks = new MemoryBlockStore();
    const metadata = options.metadata ?? new MemoryMetadataStore();
    this.metadata = metadata;
    const content = new ContentStore({
      blocks, metadata, witness: () => [], claims: blocks.reclaim,
    });
    this.content = content;
    const defaults = { casePolicy: 'sensitive' as const, quotaBytes: options.quotaBytes };
    const people = {
      hasUser: async (id: string, tenant: TenantId) => (
        ['anna', 'ben', 'carl', 'dora', ...STRANGERS].includes(id) && tenant === tenantOf(id)),
      hasGroup: async (id: string, tenant: TenantId) => (
        id === 'crew' && tenant === DEFAULT_TENANT),
      findAddress: async (user: UserId) => this.addresses.get(user),
      findViewer: async (user: UserId) =>
        (this.away.has(user) ? undefined : {
          user, tenant: tenantOf(user), groups: (this.groups.get(user) ?? []).map(parseGroupId),
        }),
    };
    this.spaces = new SpaceDirectory({ metadata, defaults, now, people });
    this.files = new FileService({ metadata, content, spaces: this.spaces, now });
    const passwords = {
      hash: async (password: string) => `hashed ${password}`,
      verify: async (phc: string, { password }: { password: string }) => {
        if (phc === `hashed ${password}`) return true;
        this.knocks.push(password);
        return false;
      },
      noteMissing: ({ password }: { password: string }) => {
        this.knocks.push(password);
      },
    };
    const { spaces } = this;
    this.sharing = new SharingService({
      metadata, spaces, people, passwords, random: new SeededRandom(7), now,
      invitations: options.invitations,
    });
    this.links = new Links({
      metadata, people, passwords, now, onRead: (read) => this.reads.push(read),
    });
    this.uploads = new UploadService({ metadata, content, files: this.files, spaces, now });
  }

  readonly groupsAt = async (user: UserId, at: number): Promise<GroupId[]> => {
    const before = this.groupsBefore.get(user);
    const groups = before !== undefined && at < before.until ? before.groups
      : this.groups.get(user);
    return (groups ?? []).map(parseGroupId);
  };

  async write(caller: Caller, path: string, text = path): Promise<void> {
    await this.files.upload(caller, pathOf(path), bodyOf(Buffer.from(text)));
  }

  async folder(caller: Caller, path: string): Promise<void> {
    await this.files.makeFolder(caller, pathOf(path));
  }

  async read(caller: Caller, path: string): Promise<string> {
    const content = await this.files.open(caller, pathOf(path));
    const whole = { startBytes: 0, endBytes: content.sizeBytes };
    return Buffer.concat(await Array.fromAsync(content.read(whole))).toString();
  }

  async names(caller: Caller, path = ''): Promise<string[]> {
    const { pages } = await this.files.list(caller, pathOf(path));
    return (await Array.fromAsync(pages)).flat().map(({ name }) => name);
  }

  async etag(caller: Caller, path = ''): Promise<string> {
    return etagOf((await this.files.get(caller, pathOf(path))).node);
  }

  /** A share, straight into the store, by whoever owns the path. */
  async grant(
    by: Caller, path: string, whom: string | Subject,
    ...[role, options = {}]: [Role, { isShown?: boolean; expiresAt?: number }?]
  ): Promise<ChangeResult> {
    const { node } = await this.files.get(by, pathOf(path));
    return this.metadata.commit({
      op: 'put-grant', spaceId: node.spaceId, nodeId: node.id,
      subject: typeof whom === 'string' ? { kind: 'user', id: whom } : whom, role,
      isShown: options.isShown ?? true, expiresAt: options.expiresAt, terms: '',
      actor: { user: by.user, device: '', at: this.now, lockTokens: [] },
    });
  }

  async revoke(granted: ChangeResult, by: Caller): Promise<void> {
    const { grant } = granted;
    if (grant === undefined) throw new Error('nothing was granted');
    await this.metadata.commit({
      op: 'remove-grant', spaceId: grant.spaceId, grantId: grant.id,
      actor: { user: by.user, device: '', at: this.now, lockTokens: [] },
    });
  }
}

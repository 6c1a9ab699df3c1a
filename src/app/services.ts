/** The object graph above the stores: services, protocols, routes. */
import type { Clock, Random, Route } from '../platform/index.ts';
import type { TenantId } from '../base/ids.ts';
import type { CasePolicy } from '../base/names.ts';
import {
  ActivityFeed, Batches, BlockUploads, FileService, FolderVerify, FolderZips, Links, QuotaService,
  SharingService, SpaceDirectory, TeamService, TimeService, TransferService, TrashContent,
  TrashService, UploadService, VersionService,
} from '../files/index.ts';
import type {
  BatchParts, BrakeService, BrokenLock, DroppedTrash, GroupsAt, Invitations, LinkRead, WriteWatch,
} from '../files/index.ts';
import {
  Authenticator, WEB_PREFIX, davRoutes, nextcloudRoutes, pageRoutes, pastRoutes, peopleOf,
  publicDavRoutes, restRoutes, webRoutes,
} from '../protocols/index.ts';
import type { Administration, BuiltPage } from '../protocols/index.ts';
import { openEvents } from './events.ts';
import type { Events } from './events.ts';
import { contentOf } from './home-content.ts';
import type { Webhooks } from '../webhooks/index.ts';
import type { MassChange } from './mass-change.ts';
import { openAdministration } from './rest-administration.ts';
import type { AdministrationSources } from './rest-administration.ts';
import type { Stores } from './stores.ts';

export interface ServiceOptions {
  stores: Stores;
  clock: Clock;
  random: Random;
  instanceId: string;
  casePolicy: CasePolicy;
  /** 0: no limit. */
  quotaBytes: number;
  reservationSeconds: number;
  bulkUpload: 'off' | 'on';
  lockTimeoutSeconds: number;
  onLockBroken: (broken: BrokenLock) => void;
  onTrashDropped: (dropped: DroppedTrash) => void;
  onLinkRead: (read: LinkRead) => void;
  watch: (tenant: TenantId) => WriteWatch | undefined;
  /** undefined: no mail is sent. */
  invitations: Invitations | undefined;
  /** See Batches. */
  aloneWithBatch?: BatchParts['alone'];
  onBatchTrouble: (batchId: number, error: unknown) => void;
  onEventTrouble: (error: unknown) => void;
  webhooks: () => Webhooks | undefined;
  massChange: MassChange;
  administration: AdministrationSources;
  /** undefined: the web page has not been built. */
  web: BuiltPage | undefined;
}

export interface Services {
  files: FileService;
  /** The same, reading past the cache: for who wants to know what is really stored. */
  uncached: FileService;
  uploads: UploadService;
  quotas: QuotaService;
  time: TimeService;
  transfers: TransferService;
  now: () => number;
  /** Restores under way: to be resumed at the start and closed at the end. */
  batches: Batches;
  brakes: BrakeService;
  routes: Route[];
  administration: Administration;
  /** Told of each space that a commit has changed. */
  events: Events;
  spaces: SpaceDirectory;
}

export function buildServices(options: ServiceOptions): Services {
  const { stores, clock, random, instanceId, bulkUpload } = options;
  const { metadata, identity } = stores;
  const now = (): number => clock.now();
  const lists = stores.shards.withoutAway(() => undefined);
  const quotaBytes = options.quotaBytes === 0 ? undefined : options.quotaBytes;
  const defaults = { casePolicy: options.casePolicy, quotaBytes };
  const people = peopleOf(identity);
  const spaces = new SpaceDirectory({ metadata, defaults, now, people });
  const content = contentOf(stores, spaces, 'cached');
  const { watch, onLockBroken, lockTimeoutSeconds, massChange } = options;
  const reservationMs = options.reservationSeconds * 1000;
  const files = new FileService({
    metadata, content, spaces, now, watch, onLockBroken, reservationMs, brake: massChange.brake,
  });
  const past = { metadata, content: contentOf(stores, spaces, 'uncached'), spaces, now };
  const uncached = new FileService(past);
  const uploads = new UploadService({ metadata, content, files, spaces, now, reservationMs });
  const quotas = new QuotaService({ metadata, lists, spaces, now });
  const groupsAt: GroupsAt = (user, at) => identity.groups.groupsAt(user, at);
  const batches = new Batches({
    metadata, lists, content, now, keep: massChange.keep, onTrouble: options.onBatchTrouble,
    alone: options.aloneWithBatch,
  });
  const brakes = massChange.service(batches);
  const time = new TimeService({ metadata, content, spaces, batches, now, groupsAt });
  const trash = new TrashService({ metadata, spaces, now, onDropped: options.onTrashDropped });
  const trashContent = new TrashContent({ trash, metadata, content });
  const versions = new VersionService({ files, metadata, content, spaces, now, groupsAt });
  const passwords = identity.linkPasswords;
  const { invitations } = options;
  const sharing = new SharingService({
    metadata, spaces, people, passwords, random, now, invitations,
  });
  const links = new Links({ metadata, people, passwords, now, onRead: options.onLinkRead });
  const transfers = new TransferService({ metadata, spaces, accounts: identity.users, now });
  const authenticator = new Authenticator(identity);
  const parts = {
    files, time, uploads, sharing, links, identity, authenticator, instanceId, clock, now, random,
    bulkUpload, brakes, trash, trashContent, versions, lockTimeoutSeconds,
    ...(options.web !== undefined && { webPage: WEB_PREFIX }),
  };
  const events = openEvents({
    ...parts, metadata, spaces, brake: massChange.brake, onTrouble: options.onEventTrouble,
  });
  const teams = new TeamService({ metadata, spaces, people, now });
  const administration = openAdministration({
    stores, quotas, brakes, teams, transfers, listeners: events.listeners,
  }, options.administration);
  const zips = new FolderZips({ files, content });
  const routes = [
    ...events.routes,
    ...davRoutes(parts), ...publicDavRoutes(parts), ...pastRoutes(parts),
    ...nextcloudRoutes(parts), ...pageRoutes({ ...parts, zips }), ...webRoutes(options.web),
    ...restRoutes({
      ...parts, webhooks: options.webhooks, time, idempotency: stores.idempotency,
      zips,
      folderVerify: new FolderVerify({ files }),
      activity: new ActivityFeed({ metadata, spaces, now }),
      blocks: new BlockUploads({ metadata, content, files, uploads, now }),
      administration,
    }),
  ];
  return {
    files, uncached, uploads, quotas, time, transfers, now, batches, brakes, routes, events,
    administration, spaces,
  };
}

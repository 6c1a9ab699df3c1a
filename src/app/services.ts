/** The object graph above the stores: services, protocols, routes. */
import type { Clock, Random, Route } from '../platform/index.ts';
import type { CasePolicy } from '../base/names.ts';
import {
  Batches, ContentStore, FileService, Links, SharingService, SpaceDirectory, TimeService,
  UploadService,
} from '../files/index.ts';
import type { WriteWatch } from '../files/index.ts';
import {
  Authenticator, davRoutes, nextcloudRoutes, pageRoutes, pastRoutes, peopleOf,
} from '../protocols/index.ts';
import type { BlockStore } from '../storage/index.ts';
import type { Stores } from './stores.ts';

export interface ServiceOptions {
  stores: Stores;
  clock: Clock;
  random: Random;
  instanceId: string;
  casePolicy: CasePolicy;
  /** 0: no limit. */
  quotaBytes: number;
  bulkUpload: 'off' | 'on';
  watch: () => WriteWatch | undefined;
  onBatchTrouble: (batchId: number, error: unknown) => void;
}

export interface Services {
  files: FileService;
  /** The same, reading past the cache: for who wants to know what is really stored. */
  uncached: FileService;
  uploads: UploadService;
  /** Restores under way: to be resumed at the start and closed at the end. */
  batches: Batches;
  routes: Route[];
}

export function buildServices(options: ServiceOptions): Services {
  const { stores, clock, random, instanceId, bulkUpload } = options;
  const { metadata, blocks, backend, identity } = stores;
  const now = (): number => clock.now();
  const quotaBytes = options.quotaBytes === 0 ? undefined : options.quotaBytes;
  const defaults = { casePolicy: options.casePolicy, quotaBytes };
  const contentIn = (store: BlockStore): ContentStore => new ContentStore({
    blocks: store, metadata, witness: backend.witness, claims: backend.reclaim,
  });
  const content = contentIn(blocks);
  const spaces = new SpaceDirectory({ metadata, defaults, now });
  const { watch } = options;
  const files = new FileService({ metadata, content, spaces, now, watch });
  const past = { metadata, content: contentIn(backend.uncached), spaces, now, watch };
  const uncached = backend.uncached === blocks ? files : new FileService(past);
  const uploads = new UploadService({ metadata, content, files, now });
  const batches = new Batches({ metadata, content, now, onTrouble: options.onBatchTrouble });
  const time = new TimeService({ metadata, content, spaces, batches, now });
  const passwords = identity.linkPasswords;
  const people = peopleOf(identity);
  const sharing = new SharingService({ metadata, spaces, people, passwords, random, now });
  const links = new Links({ metadata, passwords, now });
  const authenticator = new Authenticator(identity);
  const parts = {
    files, time, uploads, sharing, links, identity, authenticator, instanceId, clock, now, random,
    bulkUpload,
  };
  const routes = [
    ...davRoutes(parts), ...pastRoutes(parts), ...nextcloudRoutes(parts), ...pageRoutes(parts),
  ];
  return { files, uncached, uploads, batches, routes };
}

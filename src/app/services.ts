/** The object graph above the stores: services, protocols, routes. */
import type { Clock, Random, Route } from '../platform/index.ts';
import type { CasePolicy } from '../base/names.ts';
import { ContentStore, FileService, SpaceDirectory, UploadService } from '../files/index.ts';
import type { WriteWatch } from '../files/index.ts';
import { Authenticator, davRoutes, nextcloudRoutes, pageRoutes } from '../protocols/index.ts';
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
}

export interface Services {
  files: FileService;
  uploads: UploadService;
  routes: Route[];
}

export function buildServices(options: ServiceOptions): Services {
  const { stores, clock, random, instanceId, bulkUpload } = options;
  const { metadata, blocks, identity } = stores;
  const now = (): number => clock.now();
  const quotaBytes = options.quotaBytes === 0 ? undefined : options.quotaBytes;
  const defaults = { casePolicy: options.casePolicy, quotaBytes };
  const content = new ContentStore({
    blocks, metadata, witness: () => blocks.witness(), claims: blocks.reclaim,
  });
  const spaces = new SpaceDirectory({ metadata, defaults, now });
  const { watch } = options;
  const files = new FileService({ metadata, content, spaces, now, watch });
  const uploads = new UploadService({ metadata, content, files, now });
  const authenticator = new Authenticator(identity);
  const parts = {
    files, uploads, identity, authenticator, instanceId, clock, now, random, bulkUpload,
  };
  const routes = [...davRoutes(parts), ...nextcloudRoutes(parts), ...pageRoutes(parts)];
  return { files, uploads, routes };
}

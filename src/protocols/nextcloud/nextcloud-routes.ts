/** Every address of the client protocol beside the files themselves. */
import type {
  FileService, SharingService, TrashContent, TrashService, UploadService, VersionService,
} from '../../files/index.ts';
import type { Identity } from '../../identity/index.ts';
import type { HttpHandler, Random, Route } from '../../platform/index.ts';
import type { Authenticator } from '../authenticate.ts';
import { bulkUploadHandler } from './bulk-upload.ts';
import { serverStatus } from './capabilities.ts';
import {
  FLOW_BEGIN_PATH, FLOW_POLL_PATH, flowBeginHandler, flowPollHandler, sendJson, wipeHandler,
} from './login-flow.ts';
import { ocsHandler } from './ocs-routes.ts';
import { uploadHandler } from './upload-routes.ts';
import { UPLOADS_PREFIX } from './upload-paths.ts';
import { trashbinRoutes } from './trashbin/trash-routes.ts';
import { versionRoutes } from './versions/version-routes.ts';
import { withIndex } from './with-index.ts';

export interface NextcloudParts {
  files: FileService;
  uploads: UploadService;
  sharing: SharingService;
  trash: TrashService;
  trashContent: TrashContent;
  versions: VersionService;
  identity: Identity;
  authenticator: Authenticator;
  /** Letters and digits: makes file ids unique among servers. */
  instanceId: string;
  /** Whether many small files may come in one request. See settings.ts for why not. */
  bulkUpload: 'off' | 'on';
  now: () => number;
  random: Random;
  /** As of DavParts. */
  lockTimeoutSeconds?: number;
}

export function nextcloudRoutes(parts: NextcloudParts): Route[] {
  const { identity, bulkUpload } = parts;
  const status: HttpHandler = async (exchange) => sendJson(exchange, 200, serverStatus(false));
  const everywhere: Route[] = [
    { prefix: '/status.php', name: 'status', handler: status },
    { prefix: FLOW_BEGIN_PATH, name: 'login-flow', handler: flowBeginHandler(identity) },
    { prefix: FLOW_POLL_PATH, name: 'login-flow', handler: flowPollHandler(identity) },
    { prefix: '/core/wipe/check', name: 'wipe', handler: wipeHandler },
    { prefix: '/core/wipe/success', name: 'wipe', handler: wipeHandler },
  ];
  const ocs: Route[] = ([1, 2] as const).map((version) => {
    const prefix = `/ocs/v${version}.php/`;
    return { prefix, name: 'ocs', handler: ocsHandler(parts, prefix, version) };
  });
  const uploads = uploadHandler(parts);
  const dav: Route[] = [
    { prefix: UPLOADS_PREFIX, name: 'uploads', handler: uploads },
  ];
  if (bulkUpload === 'on') {
    dav.push({ prefix: '/remote.php/dav/bulk', name: 'bulk', handler: bulkUploadHandler(parts) });
  }
  return [
    ...withIndex(everywhere), ...ocs, ...dav, ...trashbinRoutes(parts), ...versionRoutes(parts),
  ];
}

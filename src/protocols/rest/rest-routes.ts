/** All that the API offers. */
import type { HttpHandler } from '../../platform/index.ts';
import { accountResource } from './account.ts';
import { activityResource } from './activity.ts';
import { batchResource } from './batch.ts';
import { blocksResource } from './blocks.ts';
import { changesResource } from './changes.ts';
import { childrenResource } from './children.ts';
import { contentResource } from './content.ts';
import { locksResource } from './locks.ts';
import { nodesResource } from './nodes.ts';
import type { Resource } from './operation.ts';
import { pastResource } from './past.ts';
import { peopleAdminResource } from './people-admin.ts';
import { restServer } from './rest-app.ts';
import type { RestParts } from './rest-parts.ts';
import { safetyResource } from './safety.ts';
import { searchResource } from './search.ts';
import { sessionResource } from './session.ts';
import { sharesResource } from './shares.ts';
import { storageAdminResource } from './storage-admin.ts';
import { teamsAdminResource } from './teams-admin.ts';
import { watchAdminResource } from './watch-admin.ts';
import { trashResource } from './trash.ts';
import { tusResource } from './tus.ts';
import { upkeepAdminResource } from './upkeep-admin.ts';
import { versionsResource } from './versions.ts';
import { webhooksResource } from './webhooks.ts';
import { wholeFolderResource } from './whole-folder.ts';

/** In the order in which the document names them. */
export const RESOURCES: readonly Resource<RestParts>[] = [
  sessionResource, nodesResource, childrenResource, searchResource, contentResource,
  batchResource, versionsResource, trashResource, pastResource, activityResource, locksResource,
  wholeFolderResource, sharesResource, accountResource, safetyResource, peopleAdminResource,
  storageAdminResource, watchAdminResource, teamsAdminResource, upkeepAdminResource,
  tusResource, blocksResource, changesResource, webhooksResource,
];

/** The OpenAPI document. No service is called for it. */
export function restDocument(parts: RestParts): object {
  return restServer(parts, RESOURCES).document;
}

export function restHandler(parts: RestParts): HttpHandler {
  return restServer(parts, RESOURCES).handler;
}

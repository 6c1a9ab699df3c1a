/** Earlier contents of a file. */
import { Type } from 'typebox';
import { HoldfastError } from '../../base/errors.ts';
import { VersionsShape } from '../../wire/history.ts';
import { NodeShape } from '../../wire/node.ts';
import { Id, shape } from '../../wire/shapes.ts';
import { CONTENT_TAG, Disposition, READ_HEADERS, sendContent } from './content.ts';
import { lockTokensOf } from './node-deals.ts';
import { NodeView, placeOf, timeText } from './node-view.ts';
import { ById, CHANGE_REFUSALS, withEtag } from './nodes.ts';
import type { RestApi } from './operation.ts';
import { PeopleNames } from './people-names.ts';
import type { RestParts } from './rest-parts.ts';

const TAG = 'versions';
const ByVersion = Type.Object(
  { id: Id, version: Type.String({ maxLength: 40 }) }, { additionalProperties: false },
);

export function versionsResource(api: RestApi, parts: RestParts): void {
  const { versions } = parts;
  api.operation({
    id: 'listVersions', tag: TAG, method: 'GET', path: '/nodes/{id}/versions',
    scope: 'files:read',
    summary: 'The contents that a file has and had',
    params: ById, refusals: [409],
    success: { status: 200, description: 'Newest first.', schema: VersionsShape },
    async answer({ caller, params }) {
      const { path } = await placeOf(parts, caller, params.id);
      const kept = await versions.list(caller, path);
      const names = new PeopleNames(parts.identity);
      const items = kept.map(async ({ contentRev, savedAt, sizeBytes, savedBy, isPresent }) => ({
        id: String(contentRev), at: timeText(savedAt), sizeBytes, by: savedBy,
        byName: (await names.user(savedBy)).displayName, isCurrent: isPresent,
      }));
      return { body: { items: await Promise.all(items) } };
    },
  });
  api.raw({
    id: 'readVersion', tag: CONTENT_TAG, method: 'GET',
    path: '/nodes/{id}/versions/{version}/content', scope: 'files:read',
    summary: 'The bytes of one version',
    params: ByVersion, query: shape({ disposition: Disposition }),
    headers: READ_HEADERS, refusals: [409, 412, 416],
    success: {
      status: 200, also: [206, 304], description: 'The bytes; 206: those of the range.',
      mediaType: 'application/octet-stream',
    },
    async answerRaw({ caller, exchange, params, query }) {
      const { path } = await placeOf(parts, caller, params.id);
      const content = await versions.open(caller, path, versionOf(params.version));
      await sendContent(exchange, content.node, {
        instanceId: parts.instanceId, wanted: query.disposition ?? 'attachment',
        open: async () => content,
      });
    },
  });
  api.operation({
    id: 'restoreVersion', tag: TAG, method: 'POST',
    path: '/nodes/{id}/versions/{version}/restore', scope: 'files:write',
    summary: 'Make a version the content again',
    description: 'What is the content now becomes a version.',
    params: ByVersion, refusals: CHANGE_REFUSALS,
    success: { status: 200, description: 'The file as it is now.', schema: NodeShape },
    async answer({ caller, exchange, params }) {
      const { path } = await placeOf(parts, caller, params.id);
      const tokens = lockTokensOf(exchange);
      await versions.restore(caller, path, versionOf(params.version), tokens);
      const place = await placeOf(parts, caller, params.id);
      return withEtag(await new NodeView(parts, caller).one(place));
    },
  });
}

/** @throws not-found: also for what can be none. */
function versionOf(text: string): number {
  const version = /^-?[0-9]{1,15}$/.test(text) ? Number(text) : 0;
  if (version !== 0) return version;
  const message = 'There is no such version.';
  throw new HoldfastError('not-found', 'rest/versionOf', message, { code: 'version-missing' });
}

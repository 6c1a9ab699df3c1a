/**
 * Earlier versions of a file: `/remote.php/dav/versions/USER/versions/FILEID/NAME`. PROPFIND lists
 * them, GET answers the bytes of one, MOVE into `/versions/USER/restore/` makes it the file's
 * content again. A version is named by the second at which it was saved, because some clients work
 * the name out of its time; where two were saved within one, the later one takes the next.
 */
import { HoldfastError } from '../../../base/errors.ts';
import type { NodeId } from '../../../base/ids.ts';
import type { Name } from '../../../base/names.ts';
import type { FileService, KeptVersion, VersionService } from '../../../files/index.ts';
import type { Caller } from '../../../identity/index.ts';
import type { Exchange, HttpHandler, Route } from '../../../platform/index.ts';
import { sendDavError } from '../../dav-error.ts';
import { decodeSegment, encodeName, ownPathOf } from '../../paths.ts';
import { escapeText } from '../../xml-text.ts';
import { dealOf } from '../../webdav/conditions.ts';
import type { DavParts } from '../../webdav/dav-request.ts';
import { sendEmpty, writtenHeaders } from '../../webdav/dav-request.ts';
import { answerNode, isUnchanged } from '../../webdav/get.ts';
import { httpDate } from '../../webdav/http-date.ts';
import { DAV, NC, OC } from '../../webdav/live-properties.ts';
import { mediaTypeOf } from '../../webdav/media-types.ts';
import { readPropfind, rendererOf, sendListing } from '../fixed-listing.ts';
import type { FixedProperty } from '../fixed-listing.ts';

const PREFIX = '/remote.php/dav/versions/';
const ALLOW = 'OPTIONS, GET, HEAD, PROPFIND, MOVE';

export interface VersionParts extends Pick<DavParts, 'authenticator' | 'instanceId'> {
  files: FileService;
  versions: VersionService;
}

/** What an address names. */
interface Place {
  /** Percent-encoded, up to the user, with a slash at its end. */
  home: string;
  folder: 'versions' | 'restore' | undefined;
  fileId: NodeId | undefined;
  /** Seconds since 1970. */
  stamp: number | undefined;
}

interface NamedVersion extends KeptVersion {
  stamp: number;
  fileName: string;
}

export function versionRoutes(parts: VersionParts): Route[] {
  return [{ prefix: PREFIX, name: 'versions', handler: versionHandler(parts) }];
}

function versionHandler(parts: VersionParts): HttpHandler {
  return async (exchange) => {
    try {
      const { method } = exchange.req;
      if (method === 'OPTIONS') {
        sendEmpty(exchange, 200, ['DAV', '1, 3', 'Allow', ALLOW]);
        return;
      }
      const caller = await parts.authenticator.authenticate(exchange);
      const request = { exchange, caller, place: locate(exchange.path, caller) };
      if (method === 'PROPFIND') await list(parts, request);
      else if (method === 'GET' || method === 'HEAD') await read(parts, request);
      else if (method === 'MOVE') await restore(parts, request);
      else refuse(exchange);
    } catch (error) {
      sendDavError(exchange, error);
    }
  };
}

interface VersionRequest {
  exchange: Exchange;
  caller: Caller;
  place: Place;
}

/** @throws invalid: malformed; denied: another user's; not-found: no such place. */
function locate(raw: string, caller: { user: string }): Place {
  const [user, folder, id, name, ...deeper] = raw.slice(PREFIX.length).split('/')
    .filter((one) => one !== '').map(decodeSegment);
  if (user === undefined) throw nothingThere();
  if (user.toLowerCase() !== caller.user) {
    const message = 'These versions belong to somebody else.';
    throw new HoldfastError('denied', 'nextcloud/versions', message, { code: 'other-user' });
  }
  const home = `${PREFIX}${encodeName(user)}/`;
  if (folder === 'restore') return { home, folder, fileId: undefined, stamp: undefined };
  if (folder === undefined) return { home, folder, fileId: undefined, stamp: undefined };
  if (folder !== 'versions' || deeper.length > 0) throw nothingThere();
  // Some clients send the id with what makes it unique among servers.
  const fileId = id === undefined ? undefined : numberIn(/^([0-9]{1,15})(?:[a-z].*)?$/.exec(id));
  const stamp = name === undefined ? undefined : numberIn(/^([0-9]{1,15})$/.exec(name));
  return { home, folder, fileId: fileId as NodeId | undefined, stamp };
}

function numberIn(found: RegExpExecArray | null): number {
  if (found === null) throw nothingThere();
  return Number(found[1]);
}

const PROPERTIES: readonly FixedProperty<NamedVersion>[] = [
  { namespace: DAV, local: 'resourcetype', value: () => '' },
  { namespace: DAV, local: 'displayname', value: ({ stamp }) => String(stamp) },
  { namespace: DAV, local: 'getlastmodified', value: ({ stamp }) => httpDate(stamp * 1000) },
  { namespace: DAV, local: 'getcontentlength', value: ({ sizeBytes }) => String(sizeBytes) },
  { namespace: DAV, local: 'getcontenttype', value: ({ fileName }) => mediaTypeOf(fileName) },
  {
    namespace: DAV, local: 'getetag',
    value: ({ nodeId, contentRev }) => `"${nodeId}-${contentRev}"`,
  },
  { namespace: OC, local: 'size', value: ({ sizeBytes }) => String(sizeBytes) },
  { namespace: NC, local: 'has-preview', value: () => 'false' },
  { namespace: NC, local: 'version-author', value: ({ savedBy }) => escapeText(savedBy) },
];

const FOLDER: readonly FixedProperty<undefined>[] = [
  { namespace: DAV, local: 'resourcetype', value: () => '<d:collection/>' },
];

async function list(
  parts: VersionParts, { exchange, caller, place }: VersionRequest,
): Promise<void> {
  const { asked, withMembers } = await readPropfind(exchange);
  const { home, folder, fileId, stamp } = place;
  const asFolder = rendererOf(asked, FOLDER);
  if (folder === undefined || fileId === undefined) {
    const below = folder === undefined && withMembers
      ? [`${home}versions/`, `${home}restore/`] : [];
    const hrefs = [folder === undefined ? home : `${home}${folder}/`, ...below];
    return sendListing(exchange, hrefs.map((href) => asFolder(href, undefined)).join(''));
  }
  const { named } = await versionsOf(parts, caller, fileId);
  const base = `${home}versions/${fileId}/`;
  const asVersion = rendererOf(asked, PROPERTIES);
  const render = (one: NamedVersion): string => asVersion(`${base}${one.stamp}`, one);
  if (stamp !== undefined) return sendListing(exchange, render(pick(named, stamp)));
  const members = withMembers ? named.map(render).join('') : '';
  return sendListing(exchange, asFolder(base, undefined) + members);
}

/** Newest first, without the present content: that is the file itself. */
async function versionsOf(
  { files, versions }: VersionParts, caller: Caller, fileId: NodeId,
): Promise<{ named: NamedVersion[]; path: Name[] }> {
  const found = await files.findById(caller, fileId);
  if (found === undefined) throw nothingThere();
  const { path, node } = found;
  const kept = await versions.list(caller, path);
  const named: NamedVersion[] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const version of kept.toReversed()) {
    const stamp = Math.max(Math.floor(version.savedAt / 1000), last + 1);
    last = stamp;
    if (!version.isPresent) named.unshift({ ...version, stamp, fileName: node.name });
  }
  return { named, path };
}

/** @throws not-found. */
function pick(named: readonly NamedVersion[], stamp: number): NamedVersion {
  const found = named.find((one) => one.stamp === stamp);
  if (found === undefined) throw nothingThere();
  return found;
}

async function find(
  parts: VersionParts, { caller, place: { fileId, stamp } }: VersionRequest,
): Promise<{ version: NamedVersion; path: Name[] }> {
  if (fileId === undefined || stamp === undefined) throw nothingThere();
  const { named, path } = await versionsOf(parts, caller, fileId);
  return { version: pick(named, stamp), path };
}

async function read(parts: VersionParts, request: VersionRequest): Promise<void> {
  const { exchange, caller } = request;
  const { version, path } = await find(parts, request);
  const content = await parts.versions.open(caller, path, version.contentRev);
  if (isUnchanged(exchange, content.node)) return;
  const { instanceId } = parts;
  await answerNode(exchange, content.node, { instanceId, open: async () => content });
}

async function restore(parts: VersionParts, request: VersionRequest): Promise<void> {
  const { exchange, caller } = request;
  const destination = ownPathOf(String(exchange.req.headers['destination'] ?? ''), exchange);
  const isRestore = destination?.startsWith(PREFIX) === true
    && locate(destination, caller).folder === 'restore';
  if (!isRestore) throw restoreOnly();
  const { version, path } = await find(parts, request);
  const { lockTokens } = await dealOf({
    files: parts.files, exchange, caller, requestPath: path, judgedPath: path,
  });
  const node = await parts.versions.restore(caller, path, version.contentRev, lockTokens);
  sendEmpty(exchange, 201, writtenHeaders(node, parts.instanceId));
}

function nothingThere(): HoldfastError {
  const message = 'There is no such version, or it is not kept any more.';
  return new HoldfastError('not-found', 'nextcloud/versions', message, { code: 'version-missing' });
}

function restoreOnly(): HoldfastError {
  const message = 'Move a version into the folder "restore" to make it the content of its file.';
  return new HoldfastError('denied', 'nextcloud/versions', message, { code: 'version-restore' });
}

function refuse({ res }: Exchange): never {
  res.setHeader('Allow', ALLOW);
  const message = 'This cannot be done with a version.';
  throw new HoldfastError('invalid', 'nextcloud/versions', message, { code: 'method-unknown' });
}

/**
 * PROPFIND (RFC 4918, section 9.1) of depth 0 and 1. A listing goes out page by page as it comes
 * from the database, so the memory it takes does not grow with the folder.
 */
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { SpaceId } from '../../base/ids.ts';
import type {
  FileService, FolderListing, Found, QuotaState, SeenEntry,
} from '../../files/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { encodeName } from '../paths.ts';
import { readBounded } from '../request-body.ts';
import { dealOf } from './conditions.ts';
import type { DavHandler, DavParts, DavRequest } from './dav-request.ts';
import { hrefOf } from './dav-request.ts';
import { depthOf } from './depth.ts';
import { LockView } from './lock-view.ts';
import {
  MULTISTATUS_CLOSE, MULTISTATUS_OPEN, MultistatusTemplate, needsOf,
} from './multistatus.ts';
import { Outlet } from './outlet.ts';
import { parsePropfind } from './propfind-request.ts';
import type { PropfindRequest } from './propfind-request.ts';

export const XML_BYTES_MAX = 64 * 1024;

export function propfindHandler(parts: DavParts): DavHandler {
  const { files } = parts;
  return async (request) => {
    const { exchange, caller, path } = request;
    const { req } = exchange;
    const depth = depthOf(req.headers);
    if (depth === 'infinity') throw noEndlessListing();
    const asked = parsePropfind(await readBounded(req, XML_BYTES_MAX));
    if (req.headers['if'] !== undefined) {
      await dealOf({ files, exchange, caller, requestPath: path, judgedPath: path });
    }
    const withProperties = needsOf(asked).has('dead');
    const listing = depth === '1' ? await listOrFind(parts, request, withProperties) : undefined;
    const found = listing === undefined
      ? await files.get(caller, path) : { ...listing, node: listing.folder };
    const [template, properties] = await Promise.all([
      templateOf(parts, request, { asked, found, listing }),
      withProperties ? files.listProperties(found.node) : undefined,
    ]);
    const self = { ...found.node, ...(properties && { properties }) };
    const href = hrefOf(request.root, path, self.kind);
    const first = MULTISTATUS_OPEN + template.render(href, self);
    await send(exchange, first, listing && members(listing, template, href));
  };
}

/** undefined: this is a file. */
async function listOrFind(
  { files }: DavParts, { exchange, caller, path }: DavRequest, withProperties: boolean,
): Promise<FolderListing | undefined> {
  try {
    return await files.list(caller, path, { withProperties, signal: exchange.signal });
  } catch (error) {
    if (isKind(error, 'conflict') && error.code === 'not-folder') return undefined;
    throw error;
  }
}

async function templateOf(
  { files, instanceId, now }: DavParts, request: DavRequest,
  options: { asked: PropfindRequest; found: Found; listing: FolderListing | undefined },
): Promise<MultistatusTemplate> {
  const { caller, exchange } = request;
  const { asked, found, listing } = options;
  const { node } = found;
  const needs = needsOf(asked);
  const members = listing === undefined ? 'none' : listing.isPlain ? 'plain' : 'mounted';
  // All at once: from a database that is far away the answers take the time of one.
  const [quotas, locks, shares, notes] = await Promise.all([
    needs.has('quota') ? quotasOf(files, request, options) : undefined,
    needs.has('locks') ? LockView.open(files, request, { found, members, at: now() }) : undefined,
    needs.has('shares') ? files.sharesAt(caller, node) : undefined,
    needs.has('notes') ? files.notesAt(caller) : undefined,
  ]);
  const isPlain = node.sight === undefined && listing?.isPlain !== false;
  const minimal = /\breturn\s*=\s*"?minimal\b/i.test(String(exchange.req.headers['prefer'] ?? ''));
  const context = { instanceId, caller, isPlain, shares, notes, quotas, locks };
  return new MultistatusTemplate({ request: asked, context, minimal });
}

async function quotasOf(
  files: FileService, { caller }: DavRequest,
  { found: { node }, listing }: { found: Found; listing: FolderListing | undefined },
): Promise<ReadonlyMap<SpaceId, QuotaState>> {
  if (listing?.isPlain === false) return files.quotasAt(caller, node);
  return new Map([[node.spaceId, await files.quota(caller, node)]]);
}

/** One string per page. */
async function* members(
  { pages }: FolderListing, template: MultistatusTemplate, folderHref: string,
): AsyncGenerator<string> {
  for await (const page of pages) yield pageXml(page, template, folderHref);
}

function pageXml(
  page: readonly SeenEntry[], template: MultistatusTemplate, folderHref: string,
): string {
  let xml = '';
  for (const entry of page) {
    const href = folderHref + encodeName(entry.name);
    xml += template.render(entry.kind === 'file' ? href : `${href}/`, entry);
  }
  return xml;
}

/** Text is held back by one page: an answer of one page gets a length, and an error on the first
 *  page is still answered as one. */
async function send(
  { res }: Exchange, first: string, pages: AsyncGenerator<string> | undefined,
): Promise<void> {
  const headers = ['Content-Type', 'application/xml; charset=utf-8', 'Vary', 'Prefer'];
  let waiting = first;
  let outlet: Outlet | undefined;
  let pageCount = 0;
  for await (const page of pages ?? []) {
    pageCount += 1;
    if (pageCount > 1) {
      if (outlet === undefined) {
        res.writeHead(207, headers);
        outlet = new Outlet(res);
      }
      const wait = outlet.write(Buffer.from(waiting));
      if (wait !== undefined) await wait;
      if (outlet.isClosed) return;
      waiting = '';
    }
    waiting += page;
  }
  const last = Buffer.from(waiting + MULTISTATUS_CLOSE);
  if (outlet === undefined) {
    headers.push('Content-Length', String(last.length));
    res.writeHead(207, headers);
  }
  res.end(last);
}

function noEndlessListing(): HoldfastError {
  const message = 'Folders are listed one by one: ask with a depth of 0 or 1.';
  return new HoldfastError('denied', 'webdav/propfind', message, { code: 'propfind-depth' });
}

/**
 * The trash of a user: PROPFIND lists it and looks into deleted folders, MOVE into `restore` brings
 * something back, DELETE removes one entry or all of them for good. What each of these promises
 * stands at TrashService. A listing takes the memory of two pages, however full the trash is.
 */
import { HoldfastError } from '../../../base/errors.ts';
import { etagOf } from '../../../files/index.ts';
import type { FileService, TrashContent, TrashService, Trashed } from '../../../files/index.ts';
import type { Caller } from '../../../identity/index.ts';
import type { NodeRecord } from '../../../metadata/index.ts';
import type { Exchange, HttpHandler, Route } from '../../../platform/index.ts';
import { sendDavError } from '../../dav-error.ts';
import { encodeName, encodePath, ownPathOf } from '../../paths.ts';
import { dealOf } from '../../webdav/conditions.ts';
import type { DavParts } from '../../webdav/dav-request.ts';
import { fileIdOf, sendEmpty, writtenHeaders } from '../../webdav/dav-request.ts';
import { answerNode, isUnchanged } from '../../webdav/get.ts';
import { readPropfind, rendererOf, sendListing } from '../fixed-listing.ts';
import type { AskedListing } from '../fixed-listing.ts';
import { entryName, locateTrash, nothingThere, TRASHBIN_PREFIX } from './trash-place.ts';
import type { TrashAddress } from './trash-place.ts';
import { PLACE_PROPERTIES, TRASH_PROPERTIES } from './trash-properties.ts';
import type { TrashItem } from './trash-properties.ts';

export interface TrashbinParts extends Pick<DavParts, 'authenticator' | 'instanceId'> {
  files: FileService;
  trash: TrashService;
  trashContent: TrashContent;
}

interface TrashRequest {
  exchange: Exchange;
  caller: Caller;
  home: string;
  address: TrashAddress;
}

type EntryAddress = Extract<TrashAddress, { kind: 'entry' }>;

const ALLOW = 'OPTIONS, GET, HEAD, PROPFIND, MOVE, DELETE';
const PAGE = 200;

export function trashbinRoutes(parts: TrashbinParts): Route[] {
  return [{ prefix: TRASHBIN_PREFIX, name: 'trashbin', handler: trashHandler(parts) }];
}

function trashHandler(parts: TrashbinParts): HttpHandler {
  const routes = new TrashRoutes(parts);
  return async (exchange) => {
    try {
      if (exchange.req.method === 'OPTIONS') {
        sendEmpty(exchange, 200, ['DAV', '1, 3', 'Allow', ALLOW]);
        return;
      }
      const caller = await parts.authenticator.authenticate(exchange);
      await routes.answer({ exchange, caller, ...locateTrash(exchange.path, caller) });
    } catch (error) {
      sendDavError(exchange, error);
    }
  };
}

class TrashRoutes {
  readonly #parts: TrashbinParts;

  constructor(parts: TrashbinParts) {
    this.#parts = parts;
  }

  async answer(request: TrashRequest): Promise<void> {
    const { address, exchange } = request;
    const { method } = exchange.req;
    if (method === 'PROPFIND') return this.#list(request);
    if (method === 'DELETE' && address.kind === 'trash') return this.#dropAll(request);
    if (address.kind !== 'entry') return refuse(exchange);
    if (method === 'GET' || method === 'HEAD') return this.#read(request, address);
    if (method === 'DELETE') return this.#drop(request, address);
    return method === 'MOVE' ? this.#restore(request, address) : refuse(exchange);
  }

  async #list(request: TrashRequest): Promise<void> {
    const { exchange, home, address } = request;
    if (address.kind === 'restored') throw nothingThere();
    const listing = await readPropfind(exchange);
    if (address.kind === 'entry') return this.#listEntry(request, { address, listing });
    const place = rendererOf(listing.asked, PLACE_PROPERTIES);
    const folders = address.kind === 'home' ? [home] : [`${home}${address.kind}/`];
    if (address.kind === 'home' && listing.withMembers) {
      folders.push(`${home}trash/`, `${home}restore/`);
    }
    const first = folders.map((href) => place(href, undefined)).join('');
    const withEntries = address.kind === 'trash' && listing.withMembers;
    await sendListing(exchange, first, withEntries ? this.#entries(request, listing) : undefined);
  }

  /** One string per page. */
  async* #entries(
    { exchange, caller, home }: TrashRequest, { asked }: AskedListing,
  ): AsyncGenerator<string> {
    const { files, trash } = this.#parts;
    const render = rendererOf(asked, TRASH_PROPERTIES);
    for (const spaceId of await files.spacesOf(caller)) {
      for (let before: number | undefined; ;) {
        exchange.signal.throwIfAborted();
        const { entries, next, isOwner } = await trash.list(caller, {
          spaceId, limit: PAGE, ...(before !== undefined && { before }),
        });
        yield entries.map((entry) => render(
          hrefOf(`${home}trash/`, entryName(entry), entry.kind), this.#itemOf(entry, isOwner),
        )).join('');
        if (next === undefined) break;
        before = next;
      }
    }
  }

  /** An entry, or what is in it. */
  async #listEntry(
    request: TrashRequest, { address, listing }: { address: EntryAddress; listing: AskedListing },
  ): Promise<void> {
    const { exchange, caller, home } = request;
    const { trash, trashContent } = this.#parts;
    const { entry, path } = address;
    const render = rendererOf(listing.asked, TRASH_PROPERTIES);
    const base = `${home}trash/${address.segment}`;
    const { entry: trashed, isOwner } = await trash.get(caller, entry);
    const isTop = path.length === 0;
    if (isTop && (!listing.withMembers || trashed.kind === 'file')) {
      const href = trashed.kind === 'folder' ? `${base}/` : base;
      return sendListing(exchange, render(href, this.#itemOf(trashed, isOwner)));
    }
    const node = await trashContent.get(caller, entry, path);
    const href = isTop ? base : `${base}/${encodePath(path)}`;
    if (node.kind === 'file') return sendListing(exchange, render(href, this.#partOf(node)));
    const self = isTop ? this.#itemOf(trashed, isOwner) : this.#partOf(node);
    const { signal } = exchange;
    const pages = listing.withMembers
      ? trashContent.list(caller, entry, { folder: node, signal }) : undefined;
    const members = pages && this.#members(pages, `${href}/`, render);
    return sendListing(exchange, render(`${href}/`, self), members);
  }

  async* #members(
    pages: AsyncIterable<readonly NodeRecord[]>, folderHref: string,
    render: (href: string, item: TrashItem) => string,
  ): AsyncGenerator<string> {
    for await (const page of pages) {
      yield page.map((node) =>
        render(hrefOf(folderHref, node.name, node.kind), this.#partOf(node))).join('');
    }
  }

  #itemOf(trashed: Trashed, isDroppable: boolean): TrashItem {
    const { nodeId: id, kind, name, sizeBytes, deletedAt: modifiedAt, deletedRev } = trashed;
    const ocId = fileIdOf({ id }, this.#parts.instanceId);
    const etag = `"${id}-${deletedRev}"`;
    return { id, kind, name, sizeBytes, modifiedAt, etag, ocId, trashed, isDroppable };
  }

  #partOf(node: NodeRecord): TrashItem {
    const { id, kind, name, modifiedAt } = node;
    const ocId = fileIdOf({ id }, this.#parts.instanceId);
    const sizeBytes = node.sizeBytes < 0 ? undefined : node.sizeBytes;
    return {
      id, kind, name, sizeBytes, modifiedAt, etag: etagOf(node), ocId, trashed: undefined,
      isDroppable: false,
    };
  }

  async #read({ exchange, caller }: TrashRequest, address: EntryAddress): Promise<void> {
    const { trashContent, instanceId } = this.#parts;
    const node = await trashContent.get(caller, address.entry, address.path);
    if (isUnchanged(exchange, node)) return;
    await answerNode(exchange, node, { instanceId, open: () => trashContent.open(node) });
  }

  async #drop({ exchange, caller }: TrashRequest, { entry, path }: EntryAddress): Promise<void> {
    if (path.length > 0) throw wholeOnly();
    await this.#parts.trash.drop(caller, entry);
    sendEmpty(exchange, 204, []);
  }

  async #dropAll({ exchange, caller }: TrashRequest): Promise<void> {
    const { files, trash } = this.#parts;
    const { signal } = exchange;
    for (const spaceId of await files.spacesOf(caller)) {
      await trash.dropAll(caller, { spaceId, signal });
    }
    sendEmpty(exchange, 204, []);
  }

  async #restore({ exchange, caller }: TrashRequest, address: EntryAddress): Promise<void> {
    const { files, trash, instanceId } = this.#parts;
    const destination = ownPathOf(String(exchange.req.headers['destination'] ?? ''), exchange);
    const isRestore = destination?.startsWith(TRASHBIN_PREFIX) === true
      && locateTrash(destination, caller).address.kind.startsWith('restore');
    if (!isRestore) throw restoreOnly();
    if (address.path.length > 0) throw wholeOnly();
    const { lockTokens = [] } = await dealOf({
      files, exchange, caller, requestPath: undefined, judgedPath: [],
    });
    const node = await trash.restore(caller, address.entry, lockTokens);
    sendEmpty(exchange, 201, writtenHeaders(node, instanceId));
  }
}

function hrefOf(folderHref: string, name: string, kind: NodeRecord['kind']): string {
  return `${folderHref}${encodeName(name)}${kind === 'folder' ? '/' : ''}`;
}

function wholeOnly(): HoldfastError {
  const message = 'Something deleted comes back, or goes for good, as a whole.';
  return new HoldfastError('denied', 'nextcloud/trashbin', message, { code: 'trash-part' });
}

function restoreOnly(): HoldfastError {
  const message = 'Move it into "restore" of your trash: from there it goes back to its place.';
  return new HoldfastError('denied', 'nextcloud/trashbin', message, { code: 'trash-restore' });
}

function refuse({ res }: Exchange): never {
  res.setHeader('Allow', ALLOW);
  const message = 'This cannot be done in the trash.';
  throw new HoldfastError('invalid', 'nextcloud/trashbin', message, { code: 'method-unknown' });
}

/** PROPFIND on the past, of depth 0 and 1, page by page as PROPFIND on the present. What is not
 *  kept of the past is not told: sizes of folders, dead properties, locks, shares. */
import { HoldfastError } from '../../../base/errors.ts';
import type { SeenNode } from '../../../files/index.ts';
import { encodeName } from '../../paths.ts';
import { readBounded } from '../../request-body.ts';
import { hrefOf } from '../dav-request.ts';
import { depthOf } from '../depth.ts';
import { MULTISTATUS_CLOSE, MULTISTATUS_OPEN, MultistatusTemplate } from '../multistatus.ts';
import { Outlet } from '../outlet.ts';
import { parsePropfind } from '../propfind-request.ts';
import type { PropfindRequest, PropertyName } from '../propfind-request.ts';
import { XML_BYTES_MAX } from '../propfind.ts';
import { DAV, OC } from '../live-properties.ts';
import type { PastParts, PastRequest } from './past-routes.ts';

/** Of folders: left out there, since a wrong number is worse than none. */
const UNKNOWN_OF_FOLDERS: readonly PropertyName[] = [
  { namespace: OC, local: 'size' }, { namespace: DAV, local: 'quota-used-bytes' },
  { namespace: DAV, local: 'quota-available-bytes' },
];

export async function answerPastPropfind(
  { instanceId }: PastParts, { exchange, caller, place, view, found }: PastRequest,
): Promise<void> {
  const { req } = exchange;
  const depth = depthOf(req.headers);
  if (depth === 'infinity') {
    const message = 'Folders are listed one by one: ask with a depth of 0 or 1.';
    throw new HoldfastError('denied', 'webdav/past', message, { code: 'propfind-depth' });
  }
  const asked = parsePropfind(await readBounded(req, XML_BYTES_MAX));
  const minimal = /\breturn\s*=\s*"?minimal\b/i.test(String(req.headers['prefer'] ?? ''));
  const context = {
    instanceId, caller, isPlain: false, shares: undefined, notes: undefined, quotas: undefined,
    locks: undefined,
  };
  const forFiles = new MultistatusTemplate({ request: asked, context, minimal });
  const forFolders = new MultistatusTemplate({ request: ofFolders(asked), context, minimal });
  const render = (href: string, node: SeenNode): string =>
    (node.kind === 'file' ? forFiles : forFolders).render(href, node);
  const { node } = found;
  const href = hrefOf(place.root, place.path, node.kind);
  const first = MULTISTATUS_OPEN + render(href, node);
  const pages = depth === '1' && node.kind === 'folder'
    ? view.list(found, exchange.signal) : undefined;
  await send(exchange, first, pages && rendered(pages, href, render));
}

function ofFolders(asked: PropfindRequest): PropfindRequest {
  if (asked.kind !== 'prop') return asked;
  const isUnknown = (name: PropertyName): boolean => UNKNOWN_OF_FOLDERS.some((one) =>
    one.namespace === name.namespace && one.local === name.local);
  return { kind: 'prop', names: asked.names.filter((name) => !isUnknown(name)) };
}

async function* rendered(
  pages: AsyncIterable<readonly SeenNode[]>, folderHref: string,
  render: (href: string, node: SeenNode) => string,
): AsyncGenerator<string> {
  for await (const page of pages) {
    let xml = '';
    for (const node of page) {
      const href = folderHref + encodeName(node.name);
      xml += render(node.kind === 'file' ? href : `${href}/`, node);
    }
    yield xml;
  }
}

/** An error before the first page is answered as one; afterwards it cuts the answer. */
async function send(
  { res }: PastRequest['exchange'], first: string, pages: AsyncGenerator<string> | undefined,
): Promise<void> {
  const outlet = new Outlet(res);
  const opening = await pages?.next();
  res.writeHead(207, ['Content-Type', 'application/xml; charset=utf-8', 'Vary', 'Prefer']);
  let waiting = first + (opening?.done === false ? opening.value : '');
  for await (const page of pages ?? []) {
    const wait = outlet.write(Buffer.from(waiting));
    if (wait !== undefined) await wait;
    if (outlet.isClosed) return;
    waiting = page;
  }
  res.end(Buffer.from(waiting + MULTISTATUS_CLOSE));
}

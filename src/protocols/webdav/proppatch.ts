/** PROPPATCH (RFC 4918, section 9.2): all of it or nothing. */
import type { Deal } from '../../files/index.ts';
import { readBounded } from '../request-body.ts';
import { dealOf } from './conditions.ts';
import type { DavHandler, DavParts, DavRequest } from './dav-request.ts';
import { hrefOf, sendXml } from './dav-request.ts';
import { MULTISTATUS_CLOSE, MULTISTATUS_OPEN, tagsOf } from './multistatus.ts';
import type { PropertyName } from './propfind-request.ts';
import { keyOf } from './propfind-request.ts';
import { parseProppatch } from './proppatch-request.ts';
import type { ProppatchRequest } from './proppatch-request.ts';

/** What one node's properties may take together, and some more for the markup around them. */
const BODY_BYTES_MAX = 320 * 1024;

export function proppatchHandler(parts: DavParts): DavHandler {
  const { files } = parts;
  return async (request) => {
    const { exchange, caller, path } = request;
    const asked = parseProppatch(await readBounded(exchange.req, BODY_BYTES_MAX));
    const deal = await dealOf({ files, exchange, caller, requestPath: path, judgedPath: path });
    const { node } = await files.get(caller, path);
    const href = hrefOf(request.root, path, node.kind);
    if (asked.refused.length > 0) {
      sendXml(exchange, 207, refusedXml(href, asked));
      return;
    }
    const { set, remove } = asked;
    await files.setProperties(caller, path, { set, remove }, deal);
    if (node.kind === 'file') await applyTimes(parts, request, { asked, deal });
    sendXml(exchange, 207, responseXml(href, [{ names: asked.names, status: '200 OK' }]));
  };
}

/** After the properties: what could be refused has been by then. A folder's time is that of the
 *  latest change in it, so a client's wish stays a property there. */
async function applyTimes(
  { files }: DavParts, { caller, path }: DavRequest,
  { asked, deal }: { asked: ProppatchRequest; deal: Deal },
): Promise<void> {
  const { modifiedAt, createdAt } = asked;
  if (modifiedAt === undefined && createdAt === undefined) return;
  const { lockTokens } = deal;
  await files.setTimes(caller, path, {
    ...(lockTokens && { lockTokens }),
    ...(modifiedAt !== undefined && { modifiedAt }),
    ...(createdAt !== undefined && { createdAt }),
  });
}

interface Outcome {
  names: readonly PropertyName[];
  status: string;
  /** A precondition of `DAV:`. */
  error?: string;
}

function refusedXml(href: string, { names, refused }: ProppatchRequest): string {
  const keys = new Set(refused.map(({ namespace, local }) => keyOf(namespace, local)));
  const others = names.filter(({ namespace, local }) => !keys.has(keyOf(namespace, local)));
  return responseXml(href, [
    { names: refused, status: '403 Forbidden', error: 'cannot-modify-protected-property' },
    { names: others, status: '424 Failed Dependency' },
  ]);
}

function responseXml(href: string, outcomes: readonly Outcome[]): string {
  let xml = `${MULTISTATUS_OPEN}<d:response><d:href>${href}</d:href>`;
  for (const { names, status, error } of outcomes) {
    if (names.length === 0) continue;
    const props = names.map((name) => tagsOf(name).empty).join('');
    const reason = error === undefined ? '' : `<d:error><d:${error}/></d:error>`;
    xml += `<d:propstat><d:prop>${props}</d:prop>`
      + `<d:status>HTTP/1.1 ${status}</d:status>${reason}</d:propstat>`;
  }
  return `${xml}</d:response>${MULTISTATUS_CLOSE}`;
}

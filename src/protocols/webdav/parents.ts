/**
 * The addresses above a user's files. Some clients walk down to them from the top, asking OPTIONS
 * and PROPFIND on the way, and give up where they meet an error.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { HttpHandler } from '../../platform/index.ts';
import { sendDavError } from '../dav-error.ts';
import { encodeName } from '../paths.ts';
import { readBounded } from '../request-body.ts';
import { escapeText } from '../xml-text.ts';
import type { DavParts } from './dav-request.ts';
import { sendXml } from './dav-request.ts';
import { depthOf } from './depth.ts';
import { DAV } from './live-properties.ts';
import { MULTISTATUS_CLOSE, MULTISTATUS_OPEN, tagsOf } from './multistatus.ts';
import { answerOptions, refuseMethod } from './options.ts';
import { parsePropfind } from './propfind-request.ts';
import type { PropfindRequest } from './propfind-request.ts';
import { XML_BYTES_MAX } from './propfind.ts';

const FILES = '/remote.php/dav/files/';

/** Folders that are only there to be passed through: they can be listed, and nothing else. */
export function parentHandler({ authenticator }: Pick<DavParts, 'authenticator'>): HttpHandler {
  return async (exchange) => {
    try {
      if (exchange.req.method === 'OPTIONS') {
        answerOptions(exchange);
        return;
      }
      const caller = await authenticator.authenticate(exchange);
      if (exchange.req.method !== 'PROPFIND') refuseMethod(exchange);
      const depth = depthOf(exchange.req.headers);
      if (depth === 'infinity') {
        const message = 'Folders are listed one by one: ask with a depth of 0 or 1.';
        throw new HoldfastError('denied', 'webdav/parents', message, { code: 'propfind-depth' });
      }
      const asked = parsePropfind(await readBounded(exchange.req, XML_BYTES_MAX));
      const href = exchange.path.endsWith('/') ? exchange.path : `${exchange.path}/`;
      const hrefs = [escapeText(href)];
      const isFiles = href === FILES;
      if (depth === '1' && isFiles) hrefs.push(`${href}${encodeName(caller.user)}/`);
      const responses = hrefs.map((one) => responseXml(one, asked)).join('');
      sendXml(exchange, 207, `${MULTISTATUS_OPEN}${responses}${MULTISTATUS_CLOSE}`);
    } catch (error) {
      sendDavError(exchange, error);
    }
  };
}

/** Such a folder has one property. */
function responseXml(href: string, asked: PropfindRequest): string {
  const names = asked.kind === 'prop' ? asked.names : [{ namespace: DAV, local: 'resourcetype' }];
  let found = '';
  let missing = '';
  for (const name of names) {
    const { open, close, empty } = tagsOf(name);
    const isType = name.namespace === DAV && name.local === 'resourcetype';
    if (!isType) missing += empty;
    else if (asked.kind === 'propname') found += empty;
    else found += `${open}<d:collection/>${close}`;
  }
  const rest = missing === '' ? '' : `<d:propstat><d:prop>${missing}</d:prop>`
    + '<d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>';
  return `<d:response><d:href>${href}</d:href><d:propstat><d:prop>${found}</d:prop>`
    + `<d:status>HTTP/1.1 200 OK</d:status></d:propstat>${rest}</d:response>`;
}

/** The web page under /app/: its files, and for every address of the page itself its start. Beside
 *  it, built with it, the reference of the API. */
import { HoldfastError } from '../../base/errors.ts';
import type { Exchange, Route } from '../../platform/index.ts';
import { sendErrorPage } from '../pages/page-routes.ts';
import { leaveBody } from '../request-body.ts';
import { ENCODINGS } from './built-page.ts';
import type { BuiltPage, Encoding, PageFile } from './built-page.ts';

export const WEB_PREFIX = '/app/';
export const REFERENCE_PATH = '/api/docs';
const REFERENCE_FILE = 'reference.html';
const API_DOCUMENT = '/api/v1/openapi.json';
const YEAR_SECONDS = 365 * 24 * 60 * 60;

/**
 * No script and no style but our own files, nothing from elsewhere, nothing around us. Pictures and
 * PDF are also shown from memory (`blob:`). Styles that scripts set one by one are not restricted
 * by any policy; style elements and attributes in markup are, and we have none.
 */
export const WEB_POLICY = [
  'default-src \'none\'', 'script-src \'self\'', 'style-src \'self\'', 'img-src \'self\' blob:',
  'media-src \'self\' blob:', 'connect-src \'self\'', 'frame-src blob:', 'object-src \'none\'',
  'form-action \'self\'', 'frame-ancestors \'none\'', 'base-uri \'none\'',
].join('; ');

/** Without a built page the addresses lead to the pages that the server makes itself. */
export function webRoutes(page: BuiltPage | undefined): Route[] {
  const handler = async (exchange: Exchange): Promise<void> => {
    const { method } = exchange.req;
    if (method !== 'GET' && method !== 'HEAD') return refuseMethod(exchange);
    if (page === undefined || exchange.path === '/app') {
      return sendOn(exchange, page === undefined ? '/account' : WEB_PREFIX);
    }
    const file = fileAt(page, exchange.path);
    if (file === undefined) return sendErrorPage(exchange, notThere());
    sendFile(exchange, file);
  };
  const reference = async (exchange: Exchange): Promise<void> => {
    const { method } = exchange.req;
    if (method !== 'GET' && method !== 'HEAD') return refuseMethod(exchange);
    if (exchange.path !== REFERENCE_PATH) return sendOn(exchange, REFERENCE_PATH);
    const file = page?.files.get(REFERENCE_FILE);
    if (file === undefined) return sendOn(exchange, API_DOCUMENT);
    sendFile(exchange, file);
  };
  return [
    { prefix: WEB_PREFIX, name: 'web', handler },
    { prefix: WEB_PREFIX.slice(0, -1), name: 'web', handler },
    { prefix: REFERENCE_PATH, name: 'web', handler: reference },
    { prefix: `${REFERENCE_PATH}/`, name: 'web', handler: reference },
  ];
}

/** Addresses of the page have no file: they get its start, which shows what they mean. A file that
 *  is missing is one of an earlier build, and no page in its place would help. */
function fileAt({ files, start }: BuiltPage, path: string): PageFile | undefined {
  const below = path.slice(WEB_PREFIX.length);
  const file = files.get(below);
  if (file !== undefined) return file;
  const isFile = below.startsWith('assets/') || /\.[a-z0-9]{2,11}$/.test(below);
  return isFile ? undefined : start;
}

function sendFile({ req, res }: Exchange, file: PageFile): void {
  leaveBody(req, res);
  setPageHeaders(res);
  const encoding = encodingFor(req.headers['accept-encoding'], file);
  const bytes = encoding === undefined ? file.bytes : file.encoded[encoding] ?? file.bytes;
  // Each encoding is another representation, so its tag must differ.
  const etag = encoding === undefined ? file.etag : `${file.etag.slice(0, -1)}-${encoding}"`;
  res.setHeader('ETag', etag);
  res.setHeader('Vary', 'Accept-Encoding');
  res.setHeader('Cache-Control', file.isImmutable
    ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache');
  if (isKnown(req.headers['if-none-match'], etag)) {
    res.writeHead(304);
    res.end();
    return;
  }
  res.setHeader('Content-Type', file.mediaType);
  if (encoding !== undefined) res.setHeader('Content-Encoding', encoding);
  res.setHeader('Content-Length', bytes.length);
  res.writeHead(200);
  res.end(req.method === 'HEAD' ? undefined : bytes);
}

function setPageHeaders(res: Exchange['res']): void {
  res.setHeader('Content-Security-Policy', WEB_POLICY);
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('X-Frame-Options', 'DENY');
  res.setHeader('Referrer-Policy', 'no-referrer');
  res.setHeader('X-Robots-Tag', 'noindex, nofollow');
  res.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  res.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  res.setHeader('Permissions-Policy', 'camera=(), microphone=(), geolocation=(), payment=()');
}

function encodingFor(accepted: string | undefined, file: PageFile): Encoding | undefined {
  const parts = (accepted ?? '').toLowerCase().split(',');
  const wanted = new Map(parts.map((part): [string, boolean] => {
    const [name = '', ...parameters] = part.trim().split(';');
    return [name, !parameters.some((one) => /^\s*q=0(?:\.0*)?\s*$/.test(one))];
  }));
  return ENCODINGS.map(([encoding]) => encoding).find((encoding) => {
    return wanted.get(encoding) === true && file.encoded[encoding] !== undefined;
  });
}

function isKnown(stated: string | undefined, etag: string): boolean {
  if (stated === undefined) return false;
  return stated.split(',').some((one) => ['*', etag, `W/${etag}`].includes(one.trim()));
}

function sendOn({ req, res }: Exchange, target: string): void {
  leaveBody(req, res);
  setPageHeaders(res);
  res.writeHead(303, { Location: target, 'Content-Length': 0, 'Cache-Control': 'no-store' });
  res.end();
}

function refuseMethod(exchange: Exchange): void {
  exchange.res.setHeader('Allow', 'GET, HEAD');
  const message = 'This address does not take that method.';
  const code = 'method-unknown';
  sendErrorPage(exchange, new HoldfastError('invalid', 'web', message, { code }));
}

function notThere(): HoldfastError {
  const message = 'There is nothing at this address. If a page has led you here, load it again.';
  return new HoldfastError('not-found', 'web', message);
}

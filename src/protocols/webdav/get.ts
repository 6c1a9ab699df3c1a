/**
 * GET and HEAD (RFC 9110, sections 9.3 and 14): a file's bytes, whole or one range of them.
 *
 * The browser must never run what a user has stored as if it were a page of ours, so every answer
 * is sandboxed and offered as a download.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { HoldfastError } from '../../base/errors.ts';
import { etagOf } from '../../files/index.ts';
import type { ByteRange, FileContent, SeenNode } from '../../files/index.ts';
import type { NodeRecord } from '../../metadata/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { dealOf, isNewer, matches } from './conditions.ts';
import type { DavHandler, DavParts, DavRequest } from './dav-request.ts';
import { fileIdOf, sendEmpty } from './dav-request.ts';
import { httpDate, parseHttpDate } from './http-date.ts';
import { mediaTypeOf } from './media-types.ts';
import { Outlet } from './outlet.ts';
import { findRange } from './range.ts';

const NO_SCRIPTS = "default-src 'none'; sandbox";

export function getHandler(parts: DavParts): DavHandler {
  const { files, instanceId } = parts;
  return async (request) => {
    const { exchange, caller, path } = request;
    // What was saved when the request came is what it asks for.
    const { node } = await files.get(caller, path, { sinceMs: exchange.startedMs });
    if (hasMustHold(exchange.req.headers)) await checkConditions(parts, request, node);
    if (isUnchanged(exchange, node)) return;
    await answerNode(exchange, node, { instanceId, open: () => files.openNode(node) });
  };
}

/** What a browser is told to do with the bytes; without it, to keep them as a file. */
export interface Presented {
  disposition?: string;
  /** In place of the one by the name. */
  mediaType?: string;
  /** The content policy. */
  policy?: string;
}

/** The bytes of a file, or a few words for a folder, once no condition stands in the way. */
export async function answerNode(
  exchange: Exchange, node: SeenNode,
  presented: Presented & {
    instanceId: string;
    /** Asked before a byte goes out. */
    open: (wanted: ByteRange) => Promise<FileContent>;
  },
): Promise<void> {
  if (node.kind === 'folder') {
    answerFolder(exchange, node);
    return;
  }
  const range = rangeWanted(exchange, node);
  const headers = headersOf(node, presented);
  if (exchange.req.method === 'HEAD') {
    answerHead(exchange, node, headers);
    return;
  }
  const content = await presented.open(range ?? { startBytes: 0, endBytes: node.sizeBytes });
  if (range === undefined) await sendWhole(exchange, content, headers);
  else await sendRange(exchange, content, { headers, range });
}

/** @throws precondition (RFC 9110, section 13.2.2). */
async function checkConditions(
  { files }: DavParts, { exchange, caller, path }: DavRequest, node: NodeRecord,
): Promise<void> {
  const { 'if-none-match': _, ...headers } = exchange.req.headers;
  const scope = { files, caller, exchange, headers, requestPath: path, judgedPath: path };
  (await dealOf(scope)).condition?.(node);
}

/** Whether the client has it already: then that is answered. */
export function isUnchanged(exchange: Exchange, node: SeenNode): boolean {
  const { 'if-none-match': noneMatch, 'if-modified-since': modifiedSince } = exchange.req.headers;
  const since = modifiedSince === undefined ? undefined : parseHttpDate(modifiedSince);
  const isSame = noneMatch === undefined
    ? since !== undefined && !isNewer(node, since)
    : matches(noneMatch, node, 'weak');
  if (!isSame) return false;
  const etag = etagOf(node);
  sendEmpty(exchange, 304, ['ETag', etag, 'OC-ETag', etag]);
  return true;
}

/** Conditions whose failure is an error, unlike those that only spare a transfer. */
function hasMustHold(headers: IncomingHttpHeaders): boolean {
  return headers['if'] !== undefined || headers['if-match'] !== undefined
    || headers['if-unmodified-since'] !== undefined;
}

/** undefined: the whole file. @throws invalid `range-outside`. */
function rangeWanted({ req }: Exchange, node: NodeRecord): ByteRange | undefined {
  const { range } = req.headers;
  if (range === undefined || !isStillThat(req.headers['if-range'], node)) return undefined;
  const found = findRange(range, node.sizeBytes);
  if (found !== 'outside') return found;
  throw new HoldfastError('invalid', 'webdav/get', 'The file is shorter than that.', {
    code: 'range-outside', facts: { sizeBytes: node.sizeBytes },
  });
}

/** If-Range (RFC 9110, section 13.1.5): a range of the file that the client knows, or all of it. */
function isStillThat(ifRange: string | string[] | undefined, node: NodeRecord): boolean {
  if (ifRange === undefined) return true;
  const wanted = String(ifRange).trim();
  return wanted === etagOf(node) || wanted === httpDate(node.modifiedAt);
}

function headersOf(
  node: NodeRecord,
  { instanceId, disposition = 'attachment', mediaType, policy = NO_SCRIPTS }: Presented & {
    instanceId: string;
  },
): string[] {
  const etag = etagOf(node);
  const headers = [
    'Content-Type', mediaType ?? mediaTypeOf(node.name),
    'ETag', etag,
    'OC-ETag', etag,
    'Last-Modified', httpDate(node.modifiedAt),
    'Accept-Ranges', 'bytes',
    'OC-FileId', fileIdOf(node, instanceId),
    'Content-Disposition', disposition,
    'Content-Security-Policy', policy,
    'X-Content-Type-Options', 'nosniff',
    'Cache-Control', 'private, no-cache',
  ];
  const { checksums } = node;
  if (checksums !== '') headers.push('OC-Checksum', bestOf(checksums));
  return headers;
}

const PREFERRED = ['SHA256:', 'SHA1:', 'MD5:'];

function bestOf(checksums: string): string {
  if (!checksums.includes(' ')) return checksums;
  const each = checksums.split(' ');
  for (const prefix of PREFERRED) {
    const found = each.find((one) => one.startsWith(prefix));
    if (found !== undefined) return found;
  }
  return each[0] ?? '';
}

/** Ranges are for GET alone (RFC 9110, section 14.2). */
function answerHead({ res }: Exchange, node: NodeRecord, headers: string[]): void {
  headers.push('Content-Length', String(node.sizeBytes));
  res.writeHead(200, headers);
  res.end();
}

async function sendWhole(
  exchange: Exchange, content: FileContent, headers: string[],
): Promise<void> {
  const { sizeBytes } = content;
  headers.push('Content-Length', String(sizeBytes));
  if (!content.isSmall) {
    exchange.res.writeHead(200, headers);
    await pour(exchange, content, { startBytes: 0, endBytes: sizeBytes });
    return;
  }
  const bytes = await content.readWhole();
  exchange.res.writeHead(200, headers);
  exchange.res.end(bytes);
}

async function sendRange(
  exchange: Exchange, content: FileContent, options: { headers: string[]; range: ByteRange },
): Promise<void> {
  const { headers, range: { startBytes, endBytes } } = options;
  // The checksum is that of the whole file, and a client would compare the part with it.
  const at = headers.indexOf('OC-Checksum');
  if (at >= 0) headers.splice(at, 2);
  headers.push(
    'Content-Length', String(endBytes - startBytes),
    'Content-Range', `bytes ${startBytes}-${endBytes - 1}/${content.sizeBytes}`,
  );
  exchange.res.writeHead(206, headers);
  await pour(exchange, content, options.range);
}

async function pour(exchange: Exchange, content: FileContent, range: ByteRange): Promise<void> {
  const { res } = exchange;
  const outlet = new Outlet(res);
  for await (const piece of content.read(range, exchange.signal)) {
    await outlet.flush(piece);
    if (outlet.isClosed) return;
  }
  res.end();
}

const FOLDER_TEXT = Buffer.from('This is a folder of Holdfast. Open this address in a WebDAV '
  + 'client or a sync client, or open the start page of this server in the browser.\n');

function answerFolder({ req, res }: Exchange, node: NodeRecord): void {
  const etag = etagOf(node);
  res.writeHead(200, [
    'Content-Type', 'text/plain; charset=utf-8', 'Content-Length', String(FOLDER_TEXT.length),
    'ETag', etag, 'OC-ETag', etag, 'Cache-Control', 'private, no-cache',
  ]);
  res.end(req.method === 'HEAD' ? undefined : FOLDER_TEXT);
}

/** What the handlers of this folder share: the request they get and the services they call. */
import type { Caller } from '../../identity/index.ts';
import type { FileService } from '../../files/index.ts';
import type { Instant, NodeRecord } from '../../metadata/index.ts';
import type { Exchange, Random } from '../../platform/index.ts';
import type { Name } from '../../base/names.ts';
import { etagOf } from '../../files/index.ts';
import { encodePath } from '../paths.ts';
import type { DavRoot } from '../paths.ts';

export interface DavParts {
  files: FileService;
  authenticator: { authenticate(exchange: Exchange): Caller | Promise<Caller> };
  /** Letters and digits: makes file ids unique among servers. */
  instanceId: string;
  now: () => Instant;
  random: Random;
  /** Of locks that a client asks for without saying for how long: see user-lock.ts. */
  lockTimeoutSeconds?: number;
}

export interface DavRequest {
  exchange: Exchange;
  caller: Caller;
  /** The root that the request came by; answers name resources under it. */
  root: DavRoot;
  path: readonly Name[];
}

/** Answers one request of one method. It parses, calls the file service, and shapes the answer;
 *  what it throws is answered by `sendDavError`. */
export type DavHandler = (request: DavRequest) => Promise<void>;

/** `00000042instance`: what clients know a file by, through renames and overwrites. */
export function fileIdOf(node: Pick<NodeRecord, 'id'>, instanceId: string): string {
  return String(node.id).padStart(8, '0') + instanceId;
}

/** The path of a URL, percent-encoded; folders end with a slash. */
export function hrefOf(
  root: DavRoot, path: readonly Name[], kind: NodeRecord['kind'],
): string {
  if (path.length === 0) return root.prefix;
  return `${root.prefix}${encodePath(path)}${kind === 'folder' ? '/' : ''}`;
}

/** Headers by which a client learns what it has just made, as a flat list. */
export function writtenHeaders(node: NodeRecord, instanceId: string): string[] {
  const etag = etagOf(node);
  return ['ETag', etag, 'OC-ETag', etag, 'OC-FileId', fileIdOf(node, instanceId)];
}

/** Ends an answer that has no body. */
export function sendEmpty({ res }: Exchange, status: number, headers: string[]): void {
  if (status !== 204 && status !== 304) headers.push('Content-Length', '0');
  res.writeHead(status, headers);
  res.end();
}

/** Ends an answer with a body of XML. */
export function sendXml(
  { res }: Exchange, status: number, xml: string, headers: string[] = [],
): void {
  const body = Buffer.from(xml);
  headers.push(
    'Content-Type', 'application/xml; charset=utf-8', 'Content-Length', String(body.length),
  );
  res.writeHead(status, headers);
  res.end(body);
}

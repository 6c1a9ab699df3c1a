/** Bytes of files: reading with ranges and conditions, writing whole files. */
import { Type } from 'typebox';
import { HoldfastError } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import { isFolder } from './refusals.ts';
import type { Checksum, Deal, SeenNode, UploadOptions, Written } from '../../files/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { NodeShape } from '../../wire/node.ts';
import { Id, Instant, NameText, oneOfWords, shape } from '../../wire/shapes.ts';
import { announcedBytes, bodySource } from '../request-body.ts';
import { preconditionsOf } from '../webdav/conditions.ts';
import { answerNode, isUnchanged } from '../webdav/get.ts';
import { presentedAs } from './inline.ts';
import { checkFolder, timeOf } from './node-changes.ts';
import { dealOfRequest } from './node-deals.ts';
import type { NodeRequest } from './node-deals.ts';
import { NodeView, placeOf } from './node-view.ts';
import type { Placed } from './node-view.ts';
import { ById, CHANGE_REFUSALS, withEtag } from './nodes.ts';
import type { RestApi, RestAnswer } from './operation.ts';
import type { RestParts } from './rest-parts.ts';

export const CONTENT_TAG = 'content';

export const READ_HEADERS = {
  Range: 'One range of bytes (RFC 9110, section 14).',
  'If-Range': 'The range only if it is still that file; else all of it.',
  'If-None-Match': 'The ETag that is there already: then 304.',
  'If-Modified-Since': 'As If-None-Match, by time.',
  'If-Match': 'Only if it still has this ETag. Else 412.',
};

const WRITE_HEADERS = {
  'If-Match': 'Only over content with this ETag. Else 412.',
  'If-None-Match': '`*`: only if nothing is there. Else 412.',
  'Lock-Token': 'Tokens of locks that whoever asks holds.',
  'Repr-Digest': 'What the bytes must hash to, as `sha-256=:BASE64:` (RFC 9530). Else 400.',
};

export const Disposition = Type.Optional(oneOfWords(
  ['inline', 'attachment'],
  'inline: to be shown by a browser, where that is safe. attachment, the default: to be saved.',
));

const Stored = {
  modifiedAt: Type.Optional(Instant),
};

export function contentResource(api: RestApi, parts: RestParts): void {
  const { files } = parts;
  api.raw({
    id: 'readContent', tag: CONTENT_TAG, method: 'GET', path: '/nodes/{id}/content',
    scope: 'files:read',
    summary: 'The bytes of a file',
    params: ById, query: shape({ disposition: Disposition }),
    headers: READ_HEADERS, refusals: [409, 412, 416],
    success: {
      status: 200, also: [206, 304], description: 'The bytes; 206: those of the range.',
      mediaType: 'application/octet-stream',
    },
    async answerRaw({ caller, exchange, params, query }) {
      const { node } = await placeOf(parts, caller, params.id);
      await sendContent(exchange, node, {
        instanceId: parts.instanceId, wanted: query.disposition ?? 'attachment',
        open: () => files.openNode(node),
      });
    },
  });
  api.operation({
    id: 'replaceContent', tag: CONTENT_TAG, method: 'PUT', path: '/nodes/{id}/content',
    scope: 'files:write',
    summary: 'New content for a file',
    description: 'The content before is kept as a version. The answer comes when the bytes survive '
      + 'a power cut; nothing of a request that fails becomes visible.',
    params: ById, query: shape(Stored), takesBytes: true, headers: WRITE_HEADERS,
    refusals: CHANGE_REFUSALS,
    success: { status: 200, description: 'The file as it is now.', schema: NodeShape },
    async answer(request) {
      const { caller, params, query } = request;
      const place = await placeOf(parts, caller, params.id);
      if (place.node.kind !== 'file') throw isFolder();
      return store(parts, request, { path: place.path, modifiedAt: query.modifiedAt, over: place });
    },
  });
  api.operation({
    id: 'putFile', tag: CONTENT_TAG, method: 'PUT', path: '/nodes/{id}/children/{name}/content',
    scope: 'files:write',
    summary: 'A file in a folder: a new one, or new content for the one with this name',
    params: Type.Object({ id: Id, name: NameText }, { additionalProperties: false }),
    query: shape(Stored), takesBytes: true, headers: WRITE_HEADERS, refusals: CHANGE_REFUSALS,
    success: { status: 201, also: [200], description: 'The file. 200: one was there.',
      schema: NodeShape },
    async answer(request) {
      const { caller, params, query } = request;
      const parent = await placeOf(parts, caller, params.id);
      checkFolder(parent.node);
      const path = [...parent.path, parseName(params.name)];
      return store(parts, request, { path, modifiedAt: query.modifiedAt, into: parent });
    },
  });
}

/** Sends a file's bytes. @throws conflict `is-folder`; precondition; invalid `range-outside`. */
export async function sendContent(
  exchange: Exchange, node: SeenNode,
  { wanted, ...options }: {
    instanceId: string; wanted: 'inline' | 'attachment';
    open: Parameters<typeof answerNode>[2]['open'];
  },
): Promise<void> {
  if (node.kind !== 'file') throw isFolder();
  const { 'if-none-match': _, ...headers } = exchange.req.headers;
  preconditionsOf(headers)?.(node);
  if (isUnchanged(exchange, node)) return;
  await answerNode(exchange, node, { ...options, ...presentedAs(node.name, wanted) });
}

async function store(
  parts: RestParts, request: NodeRequest,
  { path, modifiedAt, over, into }: {
    path: Placed['path']; modifiedAt: string | undefined; over?: Placed; into?: Placed;
  },
): Promise<RestAnswer<Awaited<ReturnType<NodeView['one']>>>> {
  const { exchange, caller } = request;
  const { req } = exchange;
  checkWhole(exchange);
  const wanted = preconditionsOf(req.headers);
  const deal: Deal = {
    lockTokens: dealOfRequest(request).lockTokens ?? [],
    ...(into !== undefined && { intoFolder: into.node.id }),
    ...((wanted !== undefined || over !== undefined) && {
      condition: (current: SeenNode | undefined) => {
        if (over !== undefined && current?.id !== over.node.id) throw replacedMeanwhile();
        wanted?.(current);
      },
    }),
  };
  const options: UploadOptions = {
    ...deal, signal: exchange.signal, checksum: checksumOf(req.headers['repr-digest']),
    ...(modifiedAt !== undefined && { modifiedAt: timeOf(modifiedAt) }),
  };
  const { node, created }: Written =
    await parts.files.upload(caller, path, bodySource(req), options);
  const shown = await new NodeView(parts, caller).one({ path, node });
  return { ...withEtag(shown), status: created ? 201 : 200 };
}

/** RFC 9110, sections 8.4 and 14.4. @throws invalid. */
function checkWhole({ req }: Exchange): void {
  const { 'content-range': range, 'content-encoding': encoding = '' } = req.headers;
  const op = 'rest/putContent';
  if (range !== undefined) {
    const message = 'Parts of a file cannot be replaced. Send the whole file.';
    throw new HoldfastError('invalid', op, message, { code: 'content-range' });
  }
  if (!/^(identity)?$/i.test(encoding)) {
    const message = 'Files are taken as they are, without a content coding.';
    throw new HoldfastError('invalid', op, message, { code: 'content-encoding' });
  }
  const bytes = announcedBytes(req);
  if (bytes === undefined || Number.isSafeInteger(bytes)) return;
  throw new HoldfastError('invalid', op, 'The length of the body cannot be read.');
}

const SHA256 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)/;

/** RFC 9530. Algorithms that we do not know are passed over. @throws invalid. */
function checksumOf(header: string | string[] | undefined): Checksum | undefined {
  if (header === undefined) return undefined;
  const found = SHA256.exec(String(header))?.[1];
  if (found !== undefined) {
    return { algorithm: 'SHA256', hex: Buffer.from(found, 'base64').toString('hex') };
  }
  if (!/sha-256/i.test(String(header))) return undefined;
  const message = 'A digest is written as sha-256=:BASE64:, see RFC 9530.';
  throw new HoldfastError('invalid', 'rest/checksumOf', message, { code: 'digest-syntax' });
}

function replacedMeanwhile(): HoldfastError {
  const message = 'The file was moved or replaced at the same moment. Look again, then decide.';
  return new HoldfastError('precondition', 'rest/putContent', message, { code: 'changed' });
}

/**
 * Uploads in pieces: MKCOL begins one, PUT stores a part, PROPFIND tells which parts are here, MOVE
 * of `.file` makes the file of them, DELETE gives up. What each step promises stands at
 * UploadService. Clients name parts by number or by offset; either sorts them.
 */
import { HoldfastError, isKind } from '../../base/errors.ts';
import { parseChecksum } from '../../files/index.ts';
import type { Deal, FileService, UploadService } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { Exchange, HttpHandler } from '../../platform/index.ts';
import type { Name } from '../../base/names.ts';
import type { Authenticator } from '../authenticate.ts';
import { sendDavError } from '../dav-error.ts';
import { encodeName, parseDestination } from '../paths.ts';
import { announcedBytes, bodySource } from '../request-body.ts';
import { dealOf } from '../webdav/conditions.ts';
import { overwriteOf } from '../webdav/copy-move.ts';
import { sendEmpty, sendXml } from '../webdav/dav-request.ts';
import { depthOf } from '../webdav/depth.ts';
import { answerOptions } from '../webdav/options.ts';
import { sendWritten, uploadOptionsOf } from '../webdav/put.ts';
import { etagText } from './part-etag.ts';
import { uploadListing } from './upload-listing.ts';
import { locateUpload, nothingThere, UPLOADS_PREFIX } from './upload-paths.ts';
import type { UploadPlace } from './upload-paths.ts';

export interface UploadParts {
  files: FileService;
  uploads: UploadService;
  authenticator: Authenticator;
  instanceId: string;
}

interface UploadRequest {
  exchange: Exchange;
  caller: Caller;
  place: UploadPlace;
}

export function uploadHandler(parts: UploadParts): HttpHandler {
  const routes = new UploadRoutes(parts);
  return async (exchange) => {
    try {
      if (exchange.req.method === 'OPTIONS') return answerOptions(exchange);
      const caller = await parts.authenticator.authenticate(exchange);
      await routes.answer({ exchange, caller, place: locateUpload(exchange.path, caller) });
    } catch (error) {
      sendDavError(exchange, error);
    }
  };
}

class UploadRoutes {
  readonly #parts: UploadParts;

  constructor(parts: UploadParts) {
    this.#parts = parts;
  }

  async answer(request: UploadRequest): Promise<void> {
    switch (request.exchange.req.method) {
      case 'MKCOL': return this.#begin(request);
      case 'PUT': return this.#putPart(request);
      case 'PROPFIND': return this.#list(request);
      case 'MOVE': return this.#finish(request);
      case 'DELETE': return this.#drop(request);
      default: return refuse();
    }
  }

  async #begin({ exchange, caller, place }: UploadRequest): Promise<void> {
    if (place.kind !== 'upload') refuse();
    if (announcedBytes(exchange.req) !== 0) {
      const message = 'An upload is begun without a body in the request.';
      throw new HoldfastError('invalid', 'nextcloud/upload', message, { code: 'body-unwanted' });
    }
    const totalBytes = bytesIn(exchange, 'oc-total-length');
    const destination = destinationIn(exchange, caller);
    await this.#parts.uploads.begin(caller, place.uploadId, totalBytes, { destination });
    sendEmpty(exchange, 201, []);
  }

  async #putPart({ exchange, caller, place }: UploadRequest): Promise<void> {
    if (place.kind !== 'part') refuse();
    const { req, signal } = exchange;
    const stated = String(req.headers['oc-checksum'] ?? '');
    const checksum = stated === '' ? undefined : parseChecksum(stated);
    const part = await this.#parts.uploads.putPart(
      caller, { uploadId: place.uploadId, name: place.partName }, bodySource(req),
      { checksum, signal, destination: destinationIn(exchange, caller) },
    );
    const etag = etagText(part);
    sendEmpty(exchange, 201, ['ETag', etag, 'OC-ETag', etag]);
  }

  async #list({ exchange, caller, place }: UploadRequest): Promise<void> {
    const depth = depthOf(exchange.req.headers);
    const home = `${UPLOADS_PREFIX}${encodeName(caller.user)}/`;
    // Which uploads there are is known to their clients alone.
    if (place.kind === 'home') return sendXml(exchange, 207, uploadListing(home, []));
    if (place.kind !== 'upload') throw nothingThere();
    const parts = await this.#parts.uploads.listParts(caller, place.uploadId);
    if (parts === undefined) throw nothingThere();
    const href = `${home}${encodeName(place.uploadId)}/`;
    sendXml(exchange, 207, uploadListing(href, depth === '0' ? [] : parts));
  }

  async #finish(request: UploadRequest): Promise<void> {
    const { exchange, caller, place } = request;
    if (place.kind !== 'whole') refuse();
    const path = parseDestination(exchange, caller);
    const totalBytes = bytesIn(exchange, 'oc-total-length')
      ?? bytesIn(exchange, 'oc-total-file-length');
    const finish = async (deal: Deal): Promise<void> => {
      const options = { ...uploadOptionsOf(exchange, deal), totalBytes };
      const written = await this.#parts.uploads.finish(caller, place.uploadId, path, options);
      sendWritten(exchange, written, this.#parts.instanceId);
    };
    try {
      await finish(await this.#dealOf(request, { path, uploadId: place.uploadId }));
    } catch (error) {
      if (!isKind(error, 'precondition')) throw error;
      // Was it this very upload that changed the file? Then a repeated end is answered as the
      // first one was, and the condition, which was true then, is not asked again.
      const isOpen = await this.#parts.uploads.listParts(caller, place.uploadId) !== undefined;
      if (isOpen) throw error;
      await finish({});
    }
  }

  /** The conditions of this request speak of the place where the file is to appear. */
  async #dealOf(
    { exchange, caller }: UploadRequest, { path, uploadId }: { path: Name[]; uploadId: string },
  ): Promise<Deal> {
    const { files, uploads } = this.#parts;
    if (await uploads.listParts(caller, uploadId) === undefined) return {};
    const deal = await dealOf({
      files, exchange, caller, requestPath: undefined, judgedPath: path,
    });
    if (overwriteOf(exchange.req.headers)) return deal;
    return {
      ...deal,
      condition: (current) => {
        deal.condition?.(current);
        if (current !== undefined) throw alreadyThere();
      },
    };
  }

  async #drop({ exchange, caller, place }: UploadRequest): Promise<void> {
    if (place.kind !== 'upload') refuse();
    await this.#parts.uploads.drop(caller, place.uploadId);
    sendEmpty(exchange, 204, []);
  }
}

/** Newer clients say with each step where the file is to appear. It is a hint: what is wrong with
 *  it is told at the end. */
function destinationIn(exchange: Exchange, caller: Caller): Name[] | undefined {
  if (exchange.req.headers['destination'] === undefined) return undefined;
  try {
    return parseDestination(exchange, caller);
  } catch (error) {
    if (error instanceof HoldfastError) return undefined;
    throw error;
  }
}

/** A size in a header; undefined when it is not there. @throws invalid. */
function bytesIn(
  { req }: Exchange, name: 'oc-total-length' | 'oc-total-file-length',
): number | undefined {
  const raw = req.headers[name];
  if (raw === undefined || raw === '') return undefined;
  const bytes = /^[0-9]{1,16}$/.test(String(raw)) ? Number(raw) : NaN;
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new HoldfastError('invalid', 'nextcloud/upload', 'A length is given in bytes.');
}

function refuse(): never {
  const message = 'This cannot be done with an upload.';
  throw new HoldfastError('invalid', 'nextcloud/upload', message, { code: 'method-unknown' });
}

function alreadyThere(): HoldfastError {
  const message = 'Something is already there, and it is not to be overwritten.';
  return new HoldfastError('precondition', 'nextcloud/upload', message, { code: 'overwrite' });
}

/**
 * Resumable uploads by the protocol tus 1.0.0 (https://tus.io/protocols/resumable-upload), with the
 * extensions creation, expiration, checksum and termination.
 *
 * What has arrived when a connection breaks stays: a body is stored in segments, each durable
 * before the next. The address of an upload says itself where the file is to appear, so nothing
 * but the parts is kept; whoever changes the address changes only where their own upload ends.
 */
import { Type } from 'typebox';
import { HoldfastError, isKind } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import { putInSegments, UPLOAD_TTL_MS } from '../../files/index.ts';
import type {
  BodySource, Checksum, SeenNode, UploadState, Written,
} from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { Exchange } from '../../platform/index.ts';
import { announcedBytes, bodySource, leaveBody } from '../request-body.ts';
import { httpDate } from '../webdav/http-date.ts';
import { underFreeName } from './free-names.ts';
import { checkFolder, timeOf } from './node-changes.ts';
import { placeOf } from './node-view.ts';
import { API_ROOT } from './operation.ts';
import type { RestAnswer, RestApi } from './operation.ts';
import type { RestParts } from './rest-parts.ts';
import { parseTusAddress, tusAddress, wishesOf } from './tus-address.ts';
import type { TusAddress } from './tus-address.ts';

const TAG = 'uploads';
const OP = 'rest/tus';
const VERSION = '1.0.0';
const BYTES_MAX = Number.MAX_SAFE_INTEGER;
const CHUNK_TYPE = 'application/offset+octet-stream';
const ALGORITHMS: Readonly<Record<string, Checksum['algorithm']>> = {
  sha1: 'SHA1', sha256: 'SHA256', md5: 'MD5',
};
/** Digits of a part's number: its offset. */
const OFFSET_DIGITS = 16;
const ID_BYTES = 18;
const CHECKSUM_MISMATCH = 460;
const ByAddress = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 4000 }),
}, { additionalProperties: false });
const TUS_HEADERS = { 'Tus-Resumable': `${VERSION}` };

export function tusResource(api: RestApi, parts: RestParts): void {
  const tus = new TusUploads(parts);
  api.operation({
    id: 'describeUploads', tag: TAG, method: 'OPTIONS', path: '/uploads', scope: 'nobody',
    summary: 'What of tus is understood here',
    success: { status: 204, description: 'In headers of tus.' },
    answer: async () => ({
      headers: {
        'Tus-Resumable': VERSION, 'Tus-Version': VERSION, 'Tus-Max-Size': String(BYTES_MAX),
        'Tus-Extension': 'creation,expiration,checksum,termination',
        'Tus-Checksum-Algorithm': Object.keys(ALGORITHMS).join(','),
      },
    }),
  });
  api.operation({
    id: 'beginUpload', tag: TAG, method: 'POST', path: '/uploads', scope: 'files:write',
    summary: 'Begin a resumable upload (tus)',
    description: 'Upload-Metadata holds parentId and name, and may hold modifiedAt and onConflict '
      + '(fail, rename, or replace, the default), each in Base64. Location is where it goes on.',
    headers: { ...TUS_HEADERS, 'Upload-Length': 'Bytes.', 'Upload-Metadata': 'See above.' },
    takesBytes: true, refusals: [409, 412, 413, 507],
    success: { status: 201, description: 'It has begun.' },
    answer: ({ caller, exchange }) => tus.begin(caller, exchange),
  });
  api.operation({
    id: 'lookAtUpload', tag: TAG, method: 'HEAD', path: '/uploads/{id}', scope: 'files:write',
    summary: 'How far an upload is', params: ByAddress, headers: TUS_HEADERS,
    success: { status: 200, description: 'In Upload-Offset.' },
    answer: ({ caller, exchange, params }) => tus.look(caller, exchange, params.id),
  });
  api.operation({
    id: 'continueUpload', tag: TAG, method: 'PATCH', path: '/uploads/{id}', scope: 'files:write',
    summary: 'Go on with an upload; with the last byte the file is there',
    description: `The body is bytes of the type ${CHUNK_TYPE}. When it was the last one, `
      + 'Content-Location is the file.',
    params: ByAddress, takesBytes: true,
    refusals: [409, 412, 413, 415, 423, CHECKSUM_MISMATCH, 507],
    headers: {
      ...TUS_HEADERS, 'Upload-Offset': 'Where the body begins.',
      'Upload-Checksum': 'Algorithm and Base64, of this body.',
    },
    success: { status: 204, description: 'It is stored.' },
    answer: ({ caller, exchange, params }) => tus.goOn(caller, exchange, params.id),
  });
  api.operation({
    id: 'dropUpload', tag: TAG, method: 'DELETE', path: '/uploads/{id}', scope: 'files:write',
    summary: 'Give an upload up', params: ByAddress, headers: TUS_HEADERS, refusals: [412],
    success: { status: 204, description: 'It is forgotten.' },
    answer: ({ caller, exchange, params }) => tus.drop(caller, exchange, params.id),
  });
}

/** A request that works on an upload. */
interface Turn {
  readonly abort: AbortController;
  readonly ended: Promise<unknown>;
}

class TusUploads {
  readonly #parts: RestParts;
  /** One request at a time for each upload; as many as there are requests. */
  readonly #turns = new Map<string, Turn>();

  constructor(parts: RestParts) {
    this.#parts = parts;
  }

  async begin(caller: Caller, exchange: Exchange): Promise<RestAnswer> {
    const { req, res } = exchange;
    checkVersion(exchange);
    if ((announcedBytes(req) ?? 1) > 0) leaveBody(req, res); // Content comes by PATCH.
    const totalBytes = wholeNumber(req.headers['upload-length']);
    if (totalBytes === undefined) throw invalid('Say how long it will be, in Upload-Length.');
    const wishes = wishesOf(String(req.headers['upload-metadata'] ?? ''));
    if (wishes.modifiedAt !== undefined) timeOf(wishes.modifiedAt);
    const id = this.#parts.random.token(ID_BYTES);
    const address: TusAddress = { id, totalBytes, ...wishes };
    const { path, intoFolder } = await this.#placeOf(caller, address);
    if (wishes.onConflict !== 'rename') {
      await this.#parts.files.aim(caller, path, { ...dealOf(address, exchange), intoFolder });
    }
    await this.#parts.uploads.begin(caller, id, totalBytes, { destination: path });
    const done = totalBytes === 0 ? await this.#finish(caller, address, exchange) : undefined;
    return {
      headers: {
        ...this.#headers(this.#parts.now() + UPLOAD_TTL_MS), ...locationOf(done),
        'Location': `${API_ROOT}/uploads/${tusAddress(address)}`, 'Upload-Offset': '0',
      },
    };
  }

  async look(caller: Caller, exchange: Exchange, rawAddress: string): Promise<RestAnswer> {
    checkVersion(exchange);
    const address = parseTusAddress(rawAddress);
    return this.#inTurn(caller, address, async () => {
      const state = await this.#get(caller, address);
      const offset = offsetOf(state, address);
      // A client takes that for the end: so it must have ended, or be told why it has not.
      const isLeft = !state.isDone && offset === address.totalBytes;
      const done = isLeft ? await this.#finish(caller, address, exchange) : undefined;
      return {
        headers: {
          ...this.#headers(state.expiresAt), ...locationOf(done),
          'Upload-Length': String(address.totalBytes),
          'Upload-Offset': String(offset),
        },
      };
    });
  }

  async goOn(caller: Caller, exchange: Exchange, rawAddress: string): Promise<RestAnswer> {
    checkVersion(exchange);
    const { headers } = exchange.req;
    if (headers['content-type'] !== CHUNK_TYPE) throw wrongType();
    const address = parseTusAddress(rawAddress);
    return this.#inTurn(caller, address, async (signal) => {
      const state = await this.#get(caller, address);
      const offset = offsetOf(state, address);
      if (wholeNumber(headers['upload-offset']) !== offset) throw otherOffset(offset);
      const left = address.totalBytes - offset;
      if ((announcedBytes(exchange.req) ?? 0) > left) throw tooLong();
      const now = await this.#store(caller, exchange, { address, offset, signal });
      if (now === undefined) return { status: CHECKSUM_MISMATCH, headers: this.#headers() };
      const done = now < address.totalBytes || state.isDone ? undefined
        : await this.#finish(caller, address, exchange);
      const kept = { ...this.#headers(this.#parts.now() + UPLOAD_TTL_MS), ...locationOf(done) };
      return { headers: { ...kept, 'Upload-Offset': String(now) } };
    });
  }

  async drop(caller: Caller, exchange: Exchange, rawAddress: string): Promise<RestAnswer> {
    checkVersion(exchange);
    const address = parseTusAddress(rawAddress);
    return this.#inTurn(caller, address, async () => {
      await this.#get(caller, address);
      await this.#parts.uploads.drop(caller, address.id);
      return { headers: this.#headers() };
    });
  }

  /** Answers the offset behind what was stored; undefined: the checksum is another. */
  async #store(
    caller: Caller, { req }: Exchange,
    { address, offset, signal }: { address: TusAddress; offset: number; signal: AbortSignal },
  ): Promise<number | undefined> {
    const { uploads } = this.#parts;
    const checksum = checksumOf(req.headers['upload-checksum']);
    const body = bounded(bodySource(req), address.totalBytes - offset);
    let at = offset;
    const put = async (segment: ReturnType<typeof bodySource>): Promise<void> => {
      const part = { uploadId: address.id, name: String(at).padStart(OFFSET_DIGITS, '0') };
      // The signal ends the body: what of it has arrived is stored all the same.
      const options = { isWholeHashed: false, ...(checksum !== undefined && { signal, checksum }) };
      const { sizeBytes } = await uploads.putPart(caller, part, segment, options);
      at += sizeBytes;
    };
    if (body.lengthBytes === 0) return at;
    if (checksum === undefined) {
      await putInSegments(body, put, { signal });
      return at;
    }
    try {
      await put(body);
      return at;
    } catch (error) {
      if (isKind(error, 'invalid') && error.code === 'checksum-mismatch') return undefined;
      throw error;
    }
  }

  async #finish(caller: Caller, address: TusAddress, exchange: Exchange): Promise<Written> {
    const { path, intoFolder } = await this.#placeOf(caller, address);
    const folder = path.slice(0, -1);
    const { modifiedAt, totalBytes, onConflict } = address;
    const options = {
      totalBytes, intoFolder, ...(modifiedAt !== undefined && { modifiedAt: timeOf(modifiedAt) }),
      ...dealOf(address, exchange),
    };
    const tries = onConflict === 'rename' ? 'rename' : 'fail';
    return underFreeName(parseName(address.name), tries, (name) =>
      this.#parts.uploads.finish(caller, address.id, [...folder, name], options));
  }

  /** The folder may be elsewhere by the end: it is found by its id, and the change is pinned to
   *  it, so that another one in its place gets nothing. */
  async #placeOf(caller: Caller, { parentId, name }: TusAddress) {
    const parent = await placeOf(this.#parts, caller, parentId);
    checkFolder(parent.node);
    return { path: [...parent.path, parseName(name)], intoFolder: parent.node.id };
  }

  async #get(caller: Caller, { id, totalBytes }: TusAddress): Promise<UploadState> {
    const state = await this.#parts.uploads.stateOf(caller, id);
    if (state !== undefined && state.totalBytes === totalBytes) return state;
    const message = 'There is no such upload, or it has expired. Please start it again.';
    throw new HoldfastError('not-found', OP, message, { code: 'upload-missing' });
  }

  /** Whoever comes back after a broken connection comes before the server has noticed: the request
   *  before is ended, and what it had is stored. */
  async #inTurn<T>(
    { user }: Caller, { id }: TusAddress, act: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const key = `${user}/${id}`;
    for (let before = this.#turns.get(key); before !== undefined; before = this.#turns.get(key)) {
      before.abort.abort(taken());
      await before.ended;
    }
    const abort = new AbortController();
    const acting = act(abort.signal);
    const turn = { abort, ended: acting.catch(() => undefined) };
    this.#turns.set(key, turn);
    try {
      return await acting;
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key);
    }
  }

  #headers(expiresAt?: number): Record<string, string> {
    return {
      'Tus-Resumable': VERSION,
      ...(expiresAt !== undefined && { 'Upload-Expires': httpDate(expiresAt) }),
    };
  }
}

/** Parts in a row from the beginning; what lies behind a gap is sent again. */
function offsetOf({ isDone, parts }: UploadState, { totalBytes }: TusAddress): number {
  if (isDone) return totalBytes;
  let offset = 0;
  for (const { number, sizeBytes } of parts) {
    if (number !== offset) break;
    offset += sizeBytes;
  }
  return offset;
}

function dealOf({ onConflict }: TusAddress, { signal }: Exchange) {
  if (onConflict === 'replace') return { signal };
  return {
    signal,
    condition: (current: SeenNode | undefined): void => {
      if (current === undefined) return;
      const message = 'Something is already there under this name.';
      throw new HoldfastError('exists', OP, message);
    },
  };
}

function locationOf(done: Written | undefined): Record<string, string> {
  return done === undefined ? {} : { 'Content-Location': `${API_ROOT}/nodes/${done.node.id}` };
}

/** Refuses more bytes than `bytesMax`: none of the part that holds them is stored. */
function bounded(body: BodySource, bytesMax: number): BodySource {
  let left = bytesMax;
  return {
    lengthBytes: body.lengthBytes,
    pour: (take, signal) => body.pour((piece) => {
      left -= piece.length;
      if (left < 0) throw tooLong();
      return take(piece);
    }, signal),
  };
}

function wholeNumber(raw: string | string[] | undefined): number | undefined {
  const number = /^[0-9]{1,16}$/.test(String(raw ?? '')) ? Number(raw) : Number.NaN;
  return Number.isSafeInteger(number) ? number : undefined;
}

function checksumOf(raw: string | string[] | undefined): Checksum | undefined {
  if (raw === undefined) return undefined;
  const [name = '', base64 = ''] = String(raw).split(' ');
  const algorithm = Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name] : undefined;
  const hex = Buffer.from(base64, 'base64').toString('hex');
  if (algorithm !== undefined && hex !== '') return { algorithm, hex };
  throw invalid(`Upload-Checksum is one of ${Object.keys(ALGORITHMS).join(', ')} and Base64.`);
}

function checkVersion({ req, res }: Exchange): void {
  res.setHeader('Tus-Resumable', VERSION); // In refusals too.
  if (req.headers['tus-resumable'] === VERSION) return;
  res.setHeader('Tus-Version', VERSION);
  const message = `This is tus ${VERSION}: say so in Tus-Resumable.`;
  throw new HoldfastError('precondition', OP, message, { code: 'tus-version' });
}

function invalid(message: string): HoldfastError {
  return new HoldfastError('invalid', OP, message, { code: 'tus-header' });
}

function wrongType(): HoldfastError {
  const message = `The body must be of the type ${CHUNK_TYPE}.`;
  return new HoldfastError('invalid', OP, message, { code: 'media-type' });
}

function otherOffset(offset: number): HoldfastError {
  const message = `The upload goes on at byte ${offset}. Ask with HEAD, and send from there.`;
  return new HoldfastError('conflict', OP, message, { code: 'upload-offset', facts: { offset } });
}

function tooLong(): HoldfastError {
  const message = 'More arrived than was announced in Upload-Length.';
  return new HoldfastError('too-large', OP, message, { code: 'upload-length' });
}

function taken(): HoldfastError {
  const message = 'Another request has gone on with this upload.';
  return new HoldfastError('locked', OP, message, { code: 'upload-taken' });
}

/** The five requests that the store needs, signed, tried again when that helps, and explained. */
import { createHash } from 'node:crypto';
import aws4 from 'aws4';
import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { BLOCK_BYTES_MAX } from '../../block.ts';
import { textOf, type Dialect, type ToldChecksums } from './dialect.ts';
import type { ObjectClient } from './object-client.ts';
import { ObjectWire, WireError } from './object-wire.ts';
import type { WireAnswer, WireRequest } from './object-wire.ts';
import { retrying } from './retrying.ts';
import { faultOf, faultOfWire, garbled, type FaultContext } from './s3-faults.ts';
import { parseErrorCode, parseListPage, type ListPage } from './s3-answers.ts';
import type { ObjectCredentials, ObjectLimits, ObjectStoreOptions } from './s3-options.ts';

/** Where the bucket is. */
export interface BucketPlace {
  /** With the bucket's name in front of the host, if it belongs there. */
  endpoint: URL;
  /** Empty, or the bucket's name behind a slash. */
  basePath: string;
  region: string;
}

export interface ObjectFacts {
  sizeBytes: number;
  label: string | undefined;
  told: ToldChecksums;
}

export interface ObjectBytes extends ObjectFacts {
  bytes: Buffer;
  /** Where the bytes begin in the object. */
  offsetBytes: number;
}

export interface PutObject {
  key: string;
  pieces: readonly Uint8Array[];
  sizeBytes: number;
  /** Of the pieces. */
  sha256: BlockId;
  label?: string;
  /** Fails where there is an object already, if the service can do that. */
  create?: boolean;
}

/** One call of the store: its name, for errors, and what ends it early. */
export interface Call {
  op: string;
  signal: AbortSignal;
}

export interface ByteSpan {
  from: number;
  /** The last byte, as HTTP counts. */
  last: number;
}

const LIST_BYTES_MAX = 4 * 1024 * 1024;
const ERROR_BYTES_MAX = 64 * 1024;
const NO_BYTES = createHash('sha256').digest('hex');
const CONTENT_TYPE = 'application/octet-stream';

export class S3Client implements ObjectClient {
  readonly #wire: ObjectWire;
  readonly #options: ObjectStoreOptions;
  readonly #limits: ObjectLimits;
  readonly #place: BucketPlace;
  readonly #dialect: Dialect;
  readonly #credentials: ObjectCredentials;

  constructor(
    options: ObjectStoreOptions, limits: ObjectLimits, place: BucketPlace, dialect: Dialect,
  ) {
    this.#options = options;
    this.#limits = limits;
    this.#place = place;
    this.#dialect = dialect;
    const { accessKeyId, secretAccessKey, sessionToken } = options.credentials;
    const token = sessionToken === undefined ? {} : { sessionToken };
    this.#credentials = { accessKeyId, secretAccessKey, ...token };
    this.#wire = new ObjectWire({
      endpoint: place.endpoint,
      socketsMax: limits.putsAtOnceMax + limits.readsAtOnceMax,
      ca: options.ca,
      clock: options.clock,
    });
  }

  /** Writes an object. The service has acknowledged it then, no more. False: `create` was wanted,
   *  and there is an object already. */
  async put(object: PutObject, call: Call): Promise<boolean> {
    const { key, pieces, sizeBytes, sha256, label } = object;
    let condition = object.create === true ? this.#dialect.createHeaders : {};
    const headers = {
      'content-type': CONTENT_TYPE,
      'content-length': String(sizeBytes),
      // Signed with the request, so a service that checks signatures refuses altered bytes.
      'x-amz-content-sha256': sha256,
      ...this.#dialect.putHeaders(sha256),
      ...(label !== undefined && { 'x-amz-meta-holdfast': label }),
    };
    const request = { method: 'PUT', path: this.#pathOf(key), pieces } as const;
    return this.#tried(call, async () => {
      const send = (): Promise<WireAnswer> => {
        const all = { ...request, headers: { ...headers, ...condition } };
        return this.#exchange(all, ERROR_BYTES_MAX, call);
      };
      let answer = await send();
      if (answer.status === 501 && Object.keys(condition).length > 0) {
        condition = {}; // The service knows no conditions. The marker is read again afterwards.
        answer = await send();
      }
      if (object.create === true && (answer.status === 412 || answer.status === 409)) return false;
      if (answer.status !== 200) throw this.#fault(answer, call);
      return true;
    });
  }

  /** What is known of an object without its bytes. Undefined: the service says there is none. It
   *  says the same when the bucket is missing, so the caller must look after that. */
  async head(key: string, call: Call): Promise<ObjectFacts | undefined> {
    const headers = this.#dialect.headHeaders;
    return this.#tried(call, async () => {
      const request = { method: 'HEAD', path: this.#pathOf(key), headers, pieces: [] } as const;
      const answer = await this.#exchange(request, ERROR_BYTES_MAX, call);
      if (answer.status === 404) return undefined;
      if (answer.status === 200) return this.#factsOf(answer, sizeOf(answer), call);
      // An answer to HEAD has no body that says what is wrong; one to GET has.
      const again = { ...request, method: 'GET', headers: rangeOf(0, 0) } as const;
      const told = await this.#exchange(again, ERROR_BYTES_MAX, call);
      throw this.#fault(told.status >= 300 && told.status !== 416 ? told : answer, call);
    });
  }

  /** An object, or the part of `span` that is inside it. `absent`: the service says there is no
   *  such object; `outside`: it begins behind the end. */
  async get(key: string, span: ByteSpan | undefined, call: Call): Promise<
    ObjectBytes | 'absent' | 'outside'
  > {
    const headers = span === undefined ? {} : rangeOf(span.from, span.last);
    return this.#tried(call, async () => {
      const request = { method: 'GET', path: this.#pathOf(key), headers, pieces: [] } as const;
      const answer = await this.#exchange(request, BLOCK_BYTES_MAX + ERROR_BYTES_MAX, call);
      if (answer.status === 404 && parseErrorCode(answer.body) === 'NoSuchKey') return 'absent';
      if (answer.status === 416 && span !== undefined) return 'outside';
      if (answer.status === 200) {
        const facts = this.#factsOf(answer, answer.body.length, call);
        return { ...facts, bytes: answer.body, offsetBytes: 0 };
      }
      if (answer.status !== 206 || span === undefined) throw this.#fault(answer, call);
      const sizeBytes = wholeSizeOf(answer, span);
      if (sizeBytes === undefined) throw garbled('a part of an object', this.#context(call));
      const facts = this.#factsOf(answer, sizeBytes, call);
      return { ...facts, bytes: answer.body, offsetBytes: span.from };
    });
  }

  /** One page of the objects of `prefix`, in ascending order, behind `after`. */
  async list(prefix: string, after: string | undefined, call: Call): Promise<ListPage> {
    const query = [
      ['list-type', '2'], ['max-keys', String(this.#limits.pageKeysMax)], ['prefix', prefix],
      ...(after === undefined ? [] : [['start-after', after]]),
    ].map(([name, value]) => `${name}=${encodeURIComponent(value ?? '')}`).join('&');
    const path = `${this.#place.basePath}/?${query}`;
    return this.#tried(call, async () => {
      const request = { method: 'GET', path, headers: {}, pieces: [] } as const;
      const answer = await this.#exchange(request, LIST_BYTES_MAX, call);
      if (answer.status !== 200) throw this.#fault(answer, call);
      const page = parseListPage(answer.body, { prefix, after: after ?? '' });
      if (page === undefined) throw garbled('a listing', this.#context(call));
      return page;
    });
  }

  async delete(key: string, call: Call): Promise<void> {
    const request = {
      method: 'DELETE', path: this.#pathOf(key), headers: {}, pieces: [],
    } as const;
    await this.#tried(call, async () => {
      const answer = await this.#exchange(request, ERROR_BYTES_MAX, call);
      const isAbsent = answer.status === 404 && parseErrorCode(answer.body) === 'NoSuchKey';
      if (answer.status !== 204 && answer.status !== 200 && !isAbsent) {
        throw this.#fault(answer, call);
      }
    }, 1);
  }

  close(): void {
    this.#wire.close();
  }

  #tried<T>(
    call: Call, attempt: () => Promise<T>, attemptsMax = this.#limits.attemptsMax,
  ): Promise<T> {
    const { clock, random } = this.#options;
    return retrying({ ...this.#limits, attemptsMax, clock, random }, call.signal, attempt);
  }

  async #exchange(request: WireRequest, bodyBytesMax: number, call: Call): Promise<WireAnswer> {
    const limits = { silenceMs: this.#limits.silenceTimeoutMs, bodyBytesMax };
    try {
      return await this.#wire.exchange(this.#signed(request), limits, call.signal);
    } catch (error) {
      if (error instanceof WireError) throw faultOfWire(error, this.#context(call));
      throw error;
    }
  }

  #signed(request: WireRequest): WireRequest {
    const date = new Date(this.#options.clock.now()).toISOString().replace(/[-:]|\.\d{3}/g, '');
    const signed = aws4.sign({
      service: 's3',
      region: this.#place.region,
      method: request.method,
      path: request.path,
      headers: {
        host: this.#place.endpoint.host,
        'x-amz-date': date,
        'x-amz-content-sha256': NO_BYTES,
        ...request.headers,
      },
    }, this.#credentials);
    const headers = signed.headers as Record<string, string>;
    return { ...request, path: signed.path ?? request.path, headers };
  }

  #pathOf(key: string): string {
    return `${this.#place.basePath}/${key}`;
  }

  #factsOf(answer: WireAnswer, sizeBytes: number, call: Call): ObjectFacts {
    if (!Number.isSafeInteger(sizeBytes)) throw garbled('an answer', this.#context(call));
    const { headers } = answer;
    const label = textOf(headers['x-amz-meta-holdfast'] ?? headers['x-goog-meta-holdfast']);
    return { sizeBytes, label, told: this.#dialect.told(headers) };
  }

  #fault(answer: WireAnswer, call: Call): Error {
    return faultOf(answer, parseErrorCode(answer.body), this.#context(call));
  }

  #context({ op }: Call): FaultContext {
    const { bucket, clock } = this.#options;
    return { op, dialect: this.#dialect, bucket, nowMs: clock.now() };
  }
}

function rangeOf(from: number, last: number): Record<string, string> {
  return { range: `bytes=${from}-${last}` };
}

function sizeOf(answer: WireAnswer): number {
  return Number(answer.headers['content-length'] ?? NaN);
}

/** The size of the whole object, from an answer that is the wanted part of it. */
function wholeSizeOf(answer: WireAnswer, span: ByteSpan): number | undefined {
  const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.headers['content-range'] ?? '');
  const [from, last, sizeBytes] = (range ?? []).slice(1).map(Number);
  if (from === undefined || last === undefined || sizeBytes === undefined) return undefined;
  const wanted = from === span.from && last === Math.min(span.last, sizeBytes - 1);
  return wanted && answer.body.length === last - from + 1 ? sizeBytes : undefined;
}

/** Checks what an operator has typed. @throws invalid. */
export function placeOf(
  options: Pick<ObjectStoreOptions, 'bucket' | 'prefix' | 'allowPlainHttp'>,
  where: { endpoint: string; region: string; addressing: 'path' | 'host' }, settings: string,
): BucketPlace {
  const refuse = (message: string): never => {
    throw new HoldfastError('invalid', 'storage/S3BlockStore.open', message);
  };
  const { bucket, prefix = '' } = options;
  if (!/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/.test(bucket)) {
    refuse(`${settings}.bucket is not the name of a bucket: small letters, digits, dots, hyphens.`);
  }
  if (!/^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*$/.test(prefix) || prefix.length > 200) {
    refuse(`${settings}.prefix must be empty or end in a slash, of letters, digits, . _ and -.`);
  }
  if (!URL.canParse(where.endpoint)) refuse(`${settings}.endpoint is not an https:// address.`);
  const endpoint = new URL(where.endpoint);
  const isPlain = endpoint.protocol === 'http:';
  if (!isPlain && endpoint.protocol !== 'https:') {
    refuse(`${settings}.endpoint must begin with https://.`);
  }
  if (endpoint.pathname !== '/' || endpoint.search !== '' || endpoint.username !== '') {
    refuse(`${settings}.endpoint must be a host, with no path and no password.`);
  }
  const isNear = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(endpoint.hostname);
  if (isPlain && !isNear && options.allowPlainHttp !== true) {
    refuse(`${settings}.endpoint must begin with https://, or set ${settings}.allow_plain_http.`);
  }
  if (!/^[A-Za-z0-9-]{1,64}$/.test(where.region)) refuse(`${settings}.region is not a region.`);
  // A certificate for all names of one level does not cover a bucket's name with dots in it.
  const inHost = where.addressing === 'host' && !bucket.includes('.');
  if (inHost) endpoint.hostname = `${bucket}.${endpoint.hostname}`;
  return { endpoint, basePath: inHost ? '' : `/${bucket}`, region: where.region };
}

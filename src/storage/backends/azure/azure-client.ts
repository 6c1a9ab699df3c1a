/** The five requests that the store needs, in the protocol of Azure Blob storage. */
import { createHash } from 'node:crypto';
import { BLOCK_BYTES_MAX } from '../../block.ts';
import { fromBase64, textOf, type Dialect } from '../s3/dialect.ts';
import type { ObjectClient } from '../s3/object-client.ts';
import { ObjectWire, WireError, type WireAnswer, type WireRequest } from '../s3/object-wire.ts';
import { retrying } from '../s3/retrying.ts';
import type { ListPage } from '../s3/s3-answers.ts';
import type { ByteSpan, Call, ObjectBytes, ObjectFacts, PutObject } from '../s3/s3-client.ts';
import type { ObjectLimits } from '../s3/s3-options.ts';
import { parseBlobPage, parseErrorCode, type BlobPage } from './azure-answers.ts';
import { azureFault, azureGarbled, azureWireFault, type AzureContext } from './azure-faults.ts';
import { AzureListing, type PageRequest } from './azure-listing.ts';
import {
  AZURE_SETTINGS, azurePlaceOf, type AzureOptions, type AzurePlace,
} from './azure-options.ts';
import { sharedKeyOf } from './shared-key.ts';

const MD5_BYTES = 16;

/** What Azure tells of its blobs: the MD5 that it checked while it took the bytes in. */
export const azureDialect: Dialect = {
  service: 'Azure Blob storage',
  settings: 'storage.azure',
  putHeaders: () => ({}),
  headHeaders: {},
  createHeaders: { 'if-none-match': '*' },
  told(headers) {
    // Beside a part of a blob the MD5 of the whole has the longer name.
    const md5 = textOf(headers['x-ms-blob-content-md5'] ?? headers['content-md5']);
    const known = md5 === undefined ? undefined : fromBase64(md5, MD5_BYTES);
    return { sha256: undefined, md5: known, crc32c: undefined };
  },
  choose: (told, right) => (told.md5 !== undefined && told.md5 === right.md5 ? 'md5' : 'none'),
  // It is a property that others can set, so another one is a reason to look, not a proof.
  refutes: { md5: false, crc32c: false },
};

/** The oldest version of the protocol that has everything used here. */
const PROTOCOL_VERSION = '2020-10-02';
const LIST_BYTES_MAX = 16 * 1024 * 1024;
const ERROR_BYTES_MAX = 64 * 1024;

type Request = Pick<WireRequest, 'method' | 'path' | 'headers' | 'pieces'>;

export class AzureClient implements ObjectClient {
  readonly #options: AzureOptions;
  readonly #limits: ObjectLimits;
  readonly #place: AzurePlace;
  readonly #wire: ObjectWire;
  readonly #listing: AzureListing;

  /** @throws invalid: a setting that cannot be right. */
  constructor(options: AzureOptions, limits: ObjectLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#place = azurePlaceOf(options);
    this.#wire = new ObjectWire({
      endpoint: this.#place.endpoint,
      socketsMax: limits.putsAtOnceMax + limits.readsAtOnceMax,
      ca: options.ca,
      clock: options.clock,
    });
    this.#listing = new AzureListing((request, call) => this.#page(request, call));
  }

  /** Writes a blob. The service has acknowledged it then, no more. False: `create` was wanted, and
   *  there is a blob already. */
  async put(object: PutObject, call: Call): Promise<boolean> {
    const { key, pieces, sizeBytes, label } = object;
    const headers = {
      'content-type': 'application/octet-stream',
      'content-length': String(sizeBytes),
      // The service refuses a body that is another, and keeps the MD5 beside the blob.
      'content-md5': md5Of(object),
      'x-ms-blob-type': 'BlockBlob',
      ...(label !== undefined && { 'x-ms-meta-holdfast': label }),
      ...(object.create === true && azureDialect.createHeaders),
    };
    return this.#tried(call, async () => {
      const request = { method: 'PUT', path: this.#pathOf(key), headers, pieces } as const;
      const answer = await this.#exchange(request, ERROR_BYTES_MAX, call);
      if (answer.status === 201) return true;
      const code = codeOf(answer);
      const isThere = code === 'BlobAlreadyExists' || code === 'ConditionNotMet';
      if (object.create === true && isThere) return false;
      throw azureFault(answer, code, this.#context(call));
    });
  }

  /** What is known of a blob without its bytes. Undefined: the service says there is none, in a
   *  container that there is. */
  async head(key: string, call: Call): Promise<ObjectFacts | undefined> {
    return this.#tried(call, async () => {
      const request = { method: 'HEAD', path: this.#pathOf(key), headers: {}, pieces: [] } as const;
      const answer = await this.#exchange(request, ERROR_BYTES_MAX, call);
      const code = codeOf(answer);
      if (answer.status === 404 && code === 'BlobNotFound') return undefined;
      if (answer.status !== 200) throw azureFault(answer, code, this.#context(call));
      return this.#factsOf(answer, Number(answer.headers['content-length'] ?? NaN), call);
    });
  }

  /** A blob, or the part of `span` that is inside it. `absent`: the service says there is none, in
   *  a container that there is; `outside`: it begins behind the end. */
  async get(
    key: string, span: ByteSpan | undefined, call: Call,
  ): Promise<ObjectBytes | 'absent' | 'outside'> {
    const range = span === undefined ? {} : { 'x-ms-range': `bytes=${span.from}-${span.last}` };
    return this.#tried(call, async () => {
      const request = {
        method: 'GET', path: this.#pathOf(key), headers: range, pieces: [],
      } as const;
      const answer = await this.#exchange(request, BLOCK_BYTES_MAX + ERROR_BYTES_MAX, call);
      if (answer.status === 200) {
        const facts = this.#factsOf(answer, answer.body.length, call);
        return { ...facts, bytes: answer.body, offsetBytes: 0 };
      }
      if (answer.status === 206 && span !== undefined) return this.#partOf(answer, span, call);
      const code = codeOf(answer);
      if (answer.status === 404 && code === 'BlobNotFound') return 'absent';
      if (answer.status === 416 && span !== undefined) return 'outside';
      throw azureFault(answer, code, this.#context(call));
    });
  }

  /** Blobs of `prefix` in ascending order, behind `after`. */
  async list(prefix: string, after: string | undefined, call: Call): Promise<ListPage> {
    return this.#tried(call, async () => {
      const page = await this.#listing.list(prefix, after, call);
      if (page === undefined) throw azureGarbled('a listing', this.#context(call));
      return page;
    });
  }

  async delete(key: string, call: Call): Promise<void> {
    const request = {
      method: 'DELETE', path: this.#pathOf(key), headers: {}, pieces: [],
    } as const;
    await this.#tried(call, async () => {
      const answer = await this.#exchange(request, ERROR_BYTES_MAX, call);
      const code = codeOf(answer);
      const isAbsent = answer.status === 404 && code === 'BlobNotFound';
      if (answer.status !== 202 && !isAbsent) throw azureFault(answer, code, this.#context(call));
    }, 1);
  }

  close(): void {
    this.#wire.close();
  }

  #page({ prefix, marker }: PageRequest, call: Call): Promise<BlobPage> {
    const query = new URLSearchParams({
      restype: 'container', comp: 'list', prefix,
      maxresults: String(this.#limits.pageKeysMax),
      ...(marker !== undefined && { marker }),
    });
    const path = `${this.#place.basePath}?${query.toString()}`;
    return this.#tried(call, async () => {
      const request = { method: 'GET', path, headers: {}, pieces: [] } as const;
      const answer = await this.#exchange(request, LIST_BYTES_MAX, call);
      if (answer.status !== 200) throw azureFault(answer, codeOf(answer), this.#context(call));
      const page = parseBlobPage(answer.body, prefix);
      if (page === undefined) throw azureGarbled('a listing', this.#context(call));
      return page;
    });
  }

  #tried<T>(
    call: Call, attempt: () => Promise<T>, attemptsMax = this.#limits.attemptsMax,
  ): Promise<T> {
    const { clock, random } = this.#options;
    return retrying({ ...this.#limits, attemptsMax, clock, random }, call.signal, attempt);
  }

  async #exchange(request: Request, bodyBytesMax: number, call: Call): Promise<WireAnswer> {
    const limits = { silenceMs: this.#limits.silenceTimeoutMs, bodyBytesMax };
    try {
      return await this.#wire.exchange(this.#proved(request), limits, call.signal);
    } catch (error) {
      if (error instanceof WireError) throw azureWireFault(error, this.#context(call));
      throw error;
    }
  }

  #proved(request: Request): WireRequest {
    const { account, proof, endpoint } = this.#place;
    const headers: Record<string, string> = {
      host: endpoint.host,
      'x-ms-date': new Date(this.#options.clock.now()).toUTCString(),
      'x-ms-version': PROTOCOL_VERSION,
      ...request.headers,
    };
    if (proof.kind === 'signature') {
      const join = request.path.includes('?') ? '&' : '?';
      return { ...request, headers, path: `${request.path}${join}${proof.query}` };
    }
    const authorization = sharedKeyOf({ ...request, headers }, account, proof.key);
    return { ...request, headers: { ...headers, authorization } };
  }

  #pathOf(key: string): string {
    return `${this.#place.basePath}/${key}`;
  }

  #factsOf(answer: WireAnswer, sizeBytes: number, call: Call): ObjectFacts {
    if (!Number.isSafeInteger(sizeBytes)) throw azureGarbled('an answer', this.#context(call));
    const { headers } = answer;
    const label = textOf(headers['x-ms-meta-holdfast']);
    return { sizeBytes, label, told: azureDialect.told(headers) };
  }

  #partOf(answer: WireAnswer, span: ByteSpan, call: Call): ObjectBytes {
    const { headers, body } = answer;
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(headers['content-range'] ?? '');
    const [from = NaN, last = NaN, sizeBytes = NaN] = (range ?? []).slice(1).map(Number);
    const isWanted = from === span.from && last === Math.min(span.last, sizeBytes - 1)
      && body.length === last - from + 1;
    if (!isWanted) throw azureGarbled('a part of a blob', this.#context(call));
    return { ...this.#factsOf(answer, sizeBytes, call), bytes: body, offsetBytes: from };
  }

  #context({ op }: Call): AzureContext {
    const { container, clock, section = AZURE_SETTINGS } = this.#options;
    return { op, container, section, nowMs: clock.now() };
  }
}

/** In base64. A label has it already. */
function md5Of({ pieces, label }: PutObject): string {
  const known = /\bmd5:([0-9a-f]{32})\b/.exec(label ?? '')?.[1];
  if (known !== undefined) return Buffer.from(known, 'hex').toString('base64');
  const hasher = createHash('md5');
  for (const piece of pieces) hasher.update(piece);
  return hasher.digest('base64');
}

/** The service's word for what is wrong: an answer to HEAD has it in a header only. */
function codeOf(answer: WireAnswer): string | undefined {
  const told = textOf(answer.headers['x-ms-error-code']);
  if (told !== undefined && /^[A-Za-z0-9]{1,64}$/.test(told)) return told;
  return parseErrorCode(answer.body);
}

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import type { ErrorKind } from '../base/errors.ts';
import { HoldfastError } from '../base/errors.ts';
import { DEFAULT_TENANT, parseUserId } from '../base/ids.ts';
import { parsePath } from '../base/names.ts';
import type { Name } from '../base/names.ts';
import type { Caller } from '../identity/index.ts';
import { MemoryMetadataStore } from '../metadata/stores/memory/memory-metadata-store.ts';
import { MemoryBlockStore } from '../storage/backends/memory/memory-block-store.ts';
import { BLOCK_BYTES_MAX } from '../storage/index.ts';
import type { BodySource } from './body.ts';
import { bodyCut, bodyOf } from './body.ts';
import { ContentStore } from './content-store.ts';
import type { ByteRange } from './download.ts';
import { FileService } from './file-service.ts';
import { SpaceDirectory } from './space-directory.ts';
import { UploadService } from './upload-service.ts';

const MIB = 1024 * 1024;
const NOW = Date.UTC(2026, 10, 21);

function callerNamed(user: string): Caller {
  return {
    user: parseUserId(user), tenant: DEFAULT_TENANT, displayName: user, admin: false,
    device: 'test', credential: 'password', groups: [], groupsRev: 0,
  };
}

const anna = callerNamed('anna');
const path = (raw: string): Name[] => parsePath(raw.split('/').filter((part) => part !== ''));
const sha1 = (bytes: Uint8Array): string => createHash('sha1').update(bytes).digest('hex');

function failsWith(kind: ErrorKind, code?: string): (error: unknown) => boolean {
  return (error) => error instanceof HoldfastError && error.kind === kind
    && (code === undefined || error.code === code);
}

let files: FileService;
let uploads: UploadService;
let blocks: MemoryBlockStore;
let metadata: MemoryMetadataStore;

function build(quotaBytes: number | undefined): void {
  const now = (): number => NOW;
  blocks = new MemoryBlockStore();
  metadata = new MemoryMetadataStore();
  const content = new ContentStore({
    blocks, metadata, witness: () => [], claims: blocks.reclaim,
  });
  const defaults = { casePolicy: 'sensitive' as const, quotaBytes };
  const spaces = new SpaceDirectory({ metadata, defaults, now });
  files = new FileService({ metadata, content, spaces, now });
  uploads = new UploadService({ metadata, content, files, spaces, now });
}

beforeEach(() => build(undefined));

async function bytesAt(raw: string, range?: ByteRange): Promise<Buffer> {
  const content = await files.open(anna, path(raw));
  const pieces: Buffer[] = [];
  const wanted = range ?? { startBytes: 0, endBytes: content.sizeBytes };
  for await (const piece of content.read(wanted)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A body that arrives in pieces of this size, as from a network. */
function arriving(bytes: Buffer, pieceBytes: number): BodySource {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    pieces.push(bytes.subarray(at, at + pieceBytes));
  }
  return bodyOf(...pieces);
}

describe('an upload', () => {
  it('comes back byte for byte, at every size around a block', async () => {
    const block = BLOCK_BYTES_MAX;
    const sizes = [0, 1, 65_536, block - 1, block, block + 1, 9 * MIB];
    for (const size of sizes) {
      const bytes = randomBytes(size);
      const { node } = await files.upload(anna, path('f'), arriving(bytes, 65_521));
      assert.equal(node.sizeBytes, size);
      assert.ok((await bytesAt('f')).equals(bytes), `${size} bytes`);
    }
  });

  it('can be read in any range', async () => {
    const bytes = randomBytes(9 * MIB + 17);
    await files.upload(anna, path('f'), arriving(bytes, 100_003));
    const edges = [0, 1, MIB - 1, MIB, BLOCK_BYTES_MAX - 1, BLOCK_BYTES_MAX, 9 * MIB, bytes.length];
    for (const startBytes of edges) {
      for (const endBytes of edges.filter((edge) => edge >= startBytes)) {
        const read = await bytesAt('f', { startBytes, endBytes });
        assert.ok(read.equals(bytes.subarray(startBytes, endBytes)), `${startBytes}-${endBytes}`);
      }
    }
    await assert.rejects(bytesAt('f', { startBytes: 0, endBytes: bytes.length + 1 }),
      failsWith('invalid'));
  });

  it('says whether it created or replaced, and keeps the id', async () => {
    const first = await files.upload(anna, path('f'), bodyOf(Buffer.from('one')));
    const second = await files.upload(anna, path('f'), bodyOf(Buffer.from('two')));
    assert.deepEqual([first.created, second.created], [true, false]);
    assert.equal(second.node.id, first.node.id);
    assert.notEqual(second.node.mark, first.node.mark);
  });

  it('that does not match its checksum leaves nothing', async () => {
    const checksum = { algorithm: 'SHA1' as const, hex: sha1(Buffer.from('other')) };
    await assert.rejects(files.upload(anna, path('f'), bodyOf(Buffer.from('bytes')), { checksum }),
      failsWith('invalid', 'checksum-mismatch'));
    assert.equal(await files.find(anna, path('f')), undefined);
  });

  it('that matches keeps its checksum', async () => {
    const bytes = Buffer.from('bytes');
    const checksum = { algorithm: 'SHA1' as const, hex: sha1(bytes) };
    const { node } = await files.upload(anna, path('f'), bodyOf(bytes), { checksum });
    assert.equal(node.checksums, `SHA1:${checksum.hex}`);
  });

  it('that is cut leaves the old content', async () => {
    await files.upload(anna, path('f'), bodyOf(Buffer.from('old')));
    const cut: BodySource = {
      lengthBytes: 100,
      async pour(take) {
        await take(Buffer.from('only this much'));
        throw bodyCut();
      },
    };
    await assert.rejects(files.upload(anna, path('f'), cut), failsWith('invalid', 'body-cut'));
    const short: BodySource = {
      lengthBytes: 100, pour: async (take) => { await take(Buffer.from('short')); },
    };
    await assert.rejects(files.upload(anna, path('f'), short), failsWith('invalid', 'body-cut'));
    assert.equal((await bytesAt('f')).toString(), 'old');
  });

  it('into a missing folder, or onto a folder, is refused before its body is read', async () => {
    await files.makeFolder(anna, path('d'));
    const unread: BodySource = {
      lengthBytes: 1, pour: () => Promise.reject(new Error('the body was read')),
    };
    await assert.rejects(files.upload(anna, path('x/f'), unread),
      failsWith('conflict', 'parent-missing'));
    await assert.rejects(files.upload(anna, path('d'), unread), failsWith('conflict', 'is-folder'));
    await assert.rejects(files.upload(anna, [], unread), failsWith('denied'));
  });

  it('is refused when what its condition approved has changed meanwhile', async () => {
    await files.upload(anna, path('f'), bodyOf(Buffer.from('seen')));
    const slow: BodySource = {
      lengthBytes: 4,
      async pour(take) {
        await files.upload(anna, path('f'), bodyOf(Buffer.from('between')));
        await take(Buffer.from('late'));
      },
    };
    await assert.rejects(files.upload(anna, path('f'), slow, { condition: () => undefined }),
      failsWith('precondition'));
    assert.equal((await bytesAt('f')).toString(), 'between');
  });

  it('over the quota is refused early when its size is known, else late', async () => {
    build(1_000_000);
    await files.upload(anna, path('f'), bodyOf(randomBytes(900_000)));
    let read = 0;
    const known: BodySource = {
      lengthBytes: 200_000, pour: () => { read += 1; return Promise.resolve(); },
    };
    await assert.rejects(files.upload(anna, path('g'), known), failsWith('quota'));
    assert.equal(read, 0);
    const unknown: BodySource = {
      lengthBytes: undefined,
      pour: async (take) => {
        for (; read < 10; read += 1) await take(randomBytes(50_000));
      },
    };
    await assert.rejects(files.upload(anna, path('g'), unknown),
      /900000 of 1000000 bytes are used, and this needs 150000\./);
    assert.equal(read, 2, 'nothing is read behind what fitted');
    assert.equal(await files.find(anna, path('g')), undefined);
    await files.upload(anna, path('f'), bodyOf(randomBytes(1_000_000)));
    assert.deepEqual(await files.quota(anna),
      { usedBytes: 1_000_000, quotaBytes: 1_000_000, availableBytes: 0 });
  });
});

describe('trees', () => {
  it('of two users have nothing to do with each other', async () => {
    await files.upload(anna, path('f'), bodyOf(Buffer.from('mine')));
    assert.equal(await files.find(callerNamed('bert'), path('f')), undefined);
  });

  it('move with all they hold, and refuse to move into themselves', async () => {
    await files.makeFolder(anna, path('a'));
    await files.makeFolder(anna, path('a/b'));
    await files.upload(anna, path('a/b/f'), bodyOf(Buffer.from('x')));
    await files.move(anna, path('a'), path('c'), { replace: false });
    assert.equal((await bytesAt('c/b/f')).toString(), 'x');
    await assert.rejects(files.move(anna, path('c'), path('c/b/d'), { replace: false }),
      failsWith('denied', 'cycle'));
  });

  it('are copied without touching their bytes', async () => {
    await files.makeFolder(anna, path('a'));
    await files.upload(anna, path('a/f'), bodyOf(Buffer.from('x')));
    const before = blocks.state().blockCount;
    await files.copy(anna, path('a'), path('b'), { replace: false, depth: 'infinity' });
    assert.equal((await bytesAt('b/f')).toString(), 'x');
    assert.equal(blocks.state().blockCount, before);
  });

  it('list what they hold', async () => {
    for (const name of ['b', 'a', 'c']) await files.upload(anna, path(name), bodyOf());
    const names: string[] = [];
    const { pages } = await files.list(anna, []);
    for await (const page of pages) for (const entry of page) names.push(entry.name);
    assert.deepEqual(names, ['a', 'b', 'c']);
    await assert.rejects(files.list(anna, path('a')), failsWith('conflict', 'not-folder'));
  });
});

describe('a lock', () => {
  const wanted = {
    token: 'opaquelocktoken:1', scope: 'exclusive' as const, depth: '0' as const, ownerXml: '',
    expiresAt: NOW + 60_000,
  };

  it('on a path where nothing is creates an empty file', async () => {
    const { created } = await files.lock(anna, path('f'), wanted);
    assert.equal(created, true);
    assert.equal((await bytesAt('f')).length, 0);
  });

  it('keeps out who does not show it', async () => {
    await files.lock(anna, path('f'), wanted);
    await assert.rejects(files.upload(anna, path('f'), bodyOf()), failsWith('locked'));
    await files.upload(anna, path('f'), bodyOf(), { lockTokens: [wanted.token] });
    await files.unlock(anna, path('f'), wanted.token);
    await files.upload(anna, path('f'), bodyOf());
  });
});

describe('a checksum', () => {
  it('is computed from what is stored', async () => {
    const bytes = randomBytes(5 * MIB);
    await files.upload(anna, path('f'), bodyOf(bytes));
    const { checksum } = await files.computeChecksum(anna, path('f'), 'SHA1');
    assert.equal(checksum.hex, sha1(bytes));
    assert.equal((await files.get(anna, path('f'))).node.checksums, `SHA1:${sha1(bytes)}`);
  });
});

describe('an upload in pieces', () => {
  type Part = readonly [name: string, bytes: Buffer];

  async function sendParts(id: string, parts: readonly Part[]): Promise<void> {
    await uploads.begin(anna, id, undefined);
    for (const [name, bytes] of parts) {
      await uploads.putPart(anna, { uploadId: id, name }, bodyOf(bytes));
    }
  }

  it('joins its parts by number, in whatever order and form they came', async () => {
    const [a, b, c] = [randomBytes(5 * MIB), randomBytes(7), randomBytes(BLOCK_BYTES_MAX)];
    await sendParts('u1', [['10', c], ['0', a], ['00002', b]]);
    const whole = Buffer.concat([a, b, c]);
    const checksum = { algorithm: 'SHA1' as const, hex: sha1(whole) };
    const { node } = await uploads.finish(anna, 'u1', path('f'), { checksum });
    assert.equal(node.sizeBytes, whole.length);
    assert.ok((await bytesAt('f')).equals(whole));
  });

  it('takes part names that are offsets, and a part that is sent again', async () => {
    const [a, b] = [randomBytes(100), randomBytes(50)];
    await sendParts('u1', [['0', randomBytes(100)], ['100', b], ['0', a]]);
    const checksum = { algorithm: 'SHA1' as const, hex: sha1(Buffer.concat([a, b])) };
    await uploads.finish(anna, 'u1', path('f'), { checksum });
    assert.ok((await bytesAt('f')).equals(Buffer.concat([a, b])));
  });

  it('answers the same when its end is repeated, also at the same time', async () => {
    await sendParts('u1', [['0', Buffer.from('x')]]);
    const ends = await Promise.all([1, 2, 3].map(() => uploads.finish(anna, 'u1', path('f'))));
    const again = await uploads.finish(anna, 'u1', path('f'));
    for (const end of [...ends, again]) assert.equal(end.node.id, ends[0]?.node.id);
    assert.equal((await files.get(anna, path('f'))).node.mark, again.node.mark);
  });

  it('is refused, and can be mended, when length or checksum is wrong', async () => {
    await sendParts('u1', [['0', Buffer.from('abc')]]);
    await assert.rejects(uploads.finish(anna, 'u1', path('f'), { totalBytes: 4 }),
      failsWith('invalid', 'length-mismatch'));
    const checksum = { algorithm: 'SHA1' as const, hex: sha1(Buffer.from('abd')) };
    await assert.rejects(uploads.finish(anna, 'u1', path('f'), { checksum }),
      failsWith('invalid', 'checksum-mismatch'));
    assert.equal(await files.find(anna, path('f')), undefined);
    await uploads.putPart(anna, { uploadId: 'u1', name: '0' }, bodyOf(Buffer.from('abd')));
    await uploads.finish(anna, 'u1', path('f'), { checksum });
    assert.equal((await bytesAt('f')).toString(), 'abd');
  });

  it('of very many parts still makes one file', async () => {
    const parts = Array.from({ length: 2_000 }, (_, index) => Buffer.from([index % 251]));
    await uploads.begin(anna, 'u1', undefined);
    for (const [index, part] of parts.entries()) {
      await uploads.putPart(anna, { uploadId: 'u1', name: String(index) }, bodyOf(part));
    }
    await uploads.finish(anna, 'u1', path('f'), { totalBytes: 2_000 });
    assert.ok((await bytesAt('f')).equals(Buffer.concat(parts)));
  });

  it('belongs to one user, and refuses odd ids and part names', async () => {
    await sendParts('u1', [['0', Buffer.from('x')]]);
    const bert = callerNamed('bert');
    await assert.rejects(uploads.finish(bert, 'u1', path('f')), failsWith('not-found'));
    assert.equal(await uploads.listParts(bert, 'u1'), undefined);
    for (const id of ['', '..', 'a/b', 'x'.repeat(129)]) {
      await assert.rejects(uploads.begin(anna, id, undefined), failsWith('invalid'));
    }
    for (const name of ['', 'x', '-1', '1.5', '99999999999999999999']) {
      const put = uploads.putPart(anna, { uploadId: 'u1', name }, bodyOf());
      await assert.rejects(put, failsWith('invalid'));
    }
  });

  it('can be dropped', async () => {
    await sendParts('u1', [['0', Buffer.from('x')]]);
    await uploads.drop(anna, 'u1');
    await uploads.drop(anna, 'u1');
    const late = uploads.putPart(anna, { uploadId: 'u1', name: '1' }, bodyOf());
    await assert.rejects(late, failsWith('not-found'));
  });
});

/** Room for uploads under way, on the model of the store. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import { DEFAULT_TENANT } from '../../base/ids.ts';
import type { MetadataStore } from '../../metadata/index.ts';
import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import type { BodySource } from '../body.ts';
import { bodyOf } from '../body.ts';
import { anna, ben, failsWith, pathOf, ShareSite } from '../testing/share-site.ts';
import { linkCaller } from '../view/link-caller.ts';
import { QuotaService } from './quota-service.ts';
import { RESERVATION_MS } from './upload-room.ts';

const MIB = 1024 * 1024;
const QUOTA_BYTES = 10 * MIB;

/** Comes as far as it is let. */
class Slow implements BodySource {
  readonly lengthBytes: number | undefined;
  readonly #arrived = Promise.withResolvers<void>();
  readonly #going = Promise.withResolvers<void>();
  readonly #pieces: Uint8Array[];
  readonly #before: number;

  /** Stops before the piece `before`. */
  constructor(pieces: Uint8Array[], options: { before: number; lengthBytes?: number }) {
    this.#pieces = pieces;
    this.#before = options.before;
    this.lengthBytes = options.lengthBytes;
  }

  get arrived(): Promise<void> {
    return this.#arrived.promise;
  }

  goOn(): void {
    this.#going.resolve();
  }

  cut(): void {
    this.#going.reject(new Error('cut'));
  }

  async pour(take: (piece: Uint8Array) => Promise<void> | undefined): Promise<void> {
    for (const [at, piece] of this.#pieces.entries()) {
      if (at === this.#before) {
        this.#arrived.resolve();
        await this.#going.promise;
      }
      await take(piece);
    }
  }
}

function slow(sizeBytes: number, options: { isAnnounced: boolean; pieceBytes?: number }): Slow {
  const { pieceBytes = 256 * 1024 } = options;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < sizeBytes; at += pieceBytes) {
    pieces.push(Buffer.alloc(Math.min(pieceBytes, sizeBytes - at), at % 251));
  }
  return new Slow(pieces, {
    before: pieces.length - 1, ...(options.isAnnounced && { lengthBytes: sizeBytes }),
  });
}

const big = (sizeBytes: number): BodySource => bodyOf(Buffer.alloc(sizeBytes, 'x'));

async function usage(site: ShareSite, owner = anna) {
  const { id } = await site.spaces.personalSpace(owner);
  return site.metadata.readUsage(id, site.now);
}

async function isPromised(site: ShareSite, bytes: number, owner = anna): Promise<void> {
  assert.equal((await usage(site, owner)).reservedBytes, bytes);
}

function limited(): ShareSite {
  return new ShareSite({ quotaBytes: QUOTA_BYTES });
}

describe('an upload where a quota holds', () => {
  it('has the room that it announced while it comes, and others have the rest', async () => {
    const site = limited();
    const body = slow(6 * MIB, { isAnnounced: true });
    const upload = site.files.upload(anna, pathOf('a'), body);
    await body.arrived;
    await isPromised(site, 6 * MIB);
    assert.equal((await site.files.quota(anna)).availableBytes, 4 * MIB);
    await assert.rejects(site.files.upload(anna, pathOf('b'), big(5 * MIB)),
      /0 of 10485760 bytes are used, 6291456 are promised to uploads under way, .* 5242880/);
    await site.files.upload(anna, pathOf('c'), big(4 * MIB));
    body.goOn();
    await upload;
    const { usedBytes, reservedBytes } = await usage(site);
    assert.deepEqual([usedBytes, reservedBytes], [QUOTA_BYTES, 0]);
  });

  it('reserves only what it grows a file by', async () => {
    const site = limited();
    await site.files.upload(anna, pathOf('a'), big(8 * MIB));
    await site.files.upload(anna, pathOf('a'), big(9 * MIB));
    await site.files.upload(anna, pathOf('a'), big(8 * MIB));
    assert.equal((await usage(site)).usedBytes, 8 * MIB);
  });

  it('of unknown length reserves in steps, down to the last byte that there is', async () => {
    const site = limited();
    const pieceBytes = 100_003;
    const body = slow(QUOTA_BYTES, { isAnnounced: false, pieceBytes });
    const upload = site.files.upload(anna, pathOf('a'), body);
    await body.arrived;
    const { reservedBytes } = await usage(site);
    assert.ok(reservedBytes > QUOTA_BYTES - 2 * pieceBytes, String(reservedBytes));
    body.goOn();
    await upload;
    assert.equal((await usage(site)).usedBytes, QUOTA_BYTES);
    const more = slow(100_000, { isAnnounced: false });
    more.goOn();
    await assert.rejects(site.files.upload(anna, pathOf('b'), more), failsWith('quota'));
    await isPromised(site, 0);
  });

  it('gives its room back when it is cut, and when it is refused at its end', async () => {
    const site = limited();
    const body = slow(6 * MIB, { isAnnounced: true });
    const upload = site.files.upload(anna, pathOf('a'), body);
    await body.arrived;
    body.cut();
    await assert.rejects(upload, /cut/);
    await isPromised(site, 0);
    const checksum = { algorithm: 'SHA1' as const, hex: '00'.repeat(20) };
    await assert.rejects(site.files.upload(anna, pathOf('a'), big(MIB), { checksum }),
      failsWith('invalid'));
    await isPromised(site, 0);
  });

  it('keeps its room while its body comes, and loses it when nothing comes', async () => {
    const site = limited();
    const body = slow(6 * MIB, { isAnnounced: true });
    const upload = site.files.upload(anna, pathOf('a'), body);
    await body.arrived;
    site.now += RESERVATION_MS - 1;
    await isPromised(site, 6 * MIB);
    site.now += 1;
    await isPromised(site, 0);
    await site.files.upload(anna, pathOf('b'), big(8 * MIB));
    body.goOn();
    await assert.rejects(upload, failsWith('quota'));
    assert.equal((await usage(site)).usedBytes, 8 * MIB);
  });

  it('renews its promise as it comes', async () => {
    const site = limited();
    const body = slow(6 * MIB, { isAnnounced: true });
    const late: BodySource = {
      lengthBytes: 6 * MIB,
      pour: (take) => body.pour(async (piece) => {
        site.now += RESERVATION_MS / 3;
        await take(piece);
      }),
    };
    const upload = site.files.upload(anna, pathOf('a'), late);
    await body.arrived;
    await isPromised(site, 6 * MIB);
    body.goOn();
    await upload;
    await isPromised(site, 0);
  });

  it('counts where it goes: into a share by the quota of the share', async () => {
    const site = limited();
    await site.folder(anna, 'plans');
    await site.grant(anna, 'plans', 'ben', 'editor');
    await site.files.upload(ben, pathOf('own'), big(9 * MIB));
    const body = slow(6 * MIB, { isAnnounced: true });
    const upload = site.files.upload(ben, pathOf('plans/a'), body);
    await body.arrived;
    await isPromised(site, 6 * MIB, anna);
    await isPromised(site, 0, ben);
    body.goOn();
    await upload;
    const plans = await site.files.get(ben, pathOf('plans'));
    const own = await site.files.get(ben, []);
    assert.equal((await site.files.quota(ben, plans.node)).availableBytes, 4 * MIB);
    const both = await site.files.quotasAt(ben, own.node);
    assert.deepEqual([...both.values()].map(({ availableBytes }) => availableBytes),
      [MIB, 4 * MIB]);
    await assert.rejects(site.files.upload(ben, pathOf('plans/b'), big(5 * MIB)),
      failsWith('quota', 'quota'));
  });

  it('tells visitors that there is no room, and nothing of how much others have', async () => {
    const site = limited();
    await site.folder(anna, 'drop');
    const granted = await site.grant(anna, 'drop', { kind: 'link', tokenHash: 't' }, 'editor');
    assert.ok(granted.grant !== undefined);
    const visitor = linkCaller(granted.grant, {}, anna);
    await assert.rejects(site.files.upload(visitor, pathOf('x'), big(11 * MIB)), (error) => (
      error instanceof HoldfastError && error.kind === 'quota' && !/\d/.test(error.message)
    ));
  });

  it('is held to the quota of all together, from the moment that there is one', async () => {
    const site = new ShareSite();
    await site.files.upload(anna, pathOf('a'), big(MIB));
    const quotas = new QuotaService({ ...site, now: () => site.now });
    await quotas.set({ kind: 'tenant', tenant: DEFAULT_TENANT }, QUOTA_BYTES);
    const body = slow(6 * MIB, { isAnnounced: true });
    const upload = site.files.upload(anna, pathOf('b'), body);
    await body.arrived;
    assert.equal((await site.files.quota(ben)).availableBytes, 3 * MIB);
    await assert.rejects(site.files.upload(ben, pathOf('c'), big(4 * MIB)),
      failsWith('quota', 'tenant-quota'));
    body.goOn();
    await upload;
    await quotas.set({ kind: 'tenant', tenant: DEFAULT_TENANT }, undefined);
    await site.files.upload(ben, pathOf('c'), big(4 * MIB));
    assert.equal((await site.files.quota(ben)).availableBytes, undefined);
  });
});

describe('an upload in pieces where a quota holds', () => {
  const put = (site: ShareSite, name: string, sizeBytes: number) =>
    site.uploads.putPart(anna, { uploadId: 'u', name }, big(sizeBytes));

  it('has all its room from its beginning, and gives it back with its end', async () => {
    const site = limited();
    await site.uploads.begin(anna, 'u', 6 * MIB, { destination: pathOf('a') });
    await isPromised(site, 6 * MIB);
    await put(site, '1', 5 * MIB);
    await put(site, '2', MIB);
    await isPromised(site, 6 * MIB);
    await site.uploads.finish(anna, 'u', pathOf('a'));
    const { usedBytes, reservedBytes } = await usage(site);
    assert.deepEqual([usedBytes, reservedBytes], [6 * MIB, 0]);
    await assert.rejects(site.uploads.begin(anna, 'v', 6 * MIB, { destination: pathOf('b') }),
      failsWith('quota'));
    await site.uploads.begin(anna, 'v', 10 * MIB, { destination: pathOf('a') });
    await isPromised(site, 4 * MIB);
    await site.uploads.drop(anna, 'v');
    await isPromised(site, 0);
  });

  it('without a word of its length reserves what its parts take, each once', async () => {
    const site = limited();
    await site.uploads.begin(anna, 'u', undefined);
    await isPromised(site, 0);
    await Promise.all(['1', '2', '3'].map((name) => put(site, name, 2 * MIB)));
    for (let again = 0; again < 5; again += 1) await put(site, '2', 2 * MIB);
    const { reservedBytes } = await usage(site);
    assert.ok(reservedBytes >= 6 * MIB && reservedBytes <= QUOTA_BYTES, String(reservedBytes));
    await site.uploads.finish(anna, 'u', pathOf('a'));
    const { usedBytes, reservedBytes: left } = await usage(site);
    assert.deepEqual([usedBytes, left], [6 * MIB, 0]);
  });

  it('may replace a file as large as itself though it does not say which', async () => {
    const site = limited();
    await site.files.upload(anna, pathOf('a'), big(6 * MIB));
    await site.uploads.begin(anna, 'u', 7 * MIB);
    await put(site, '1', 7 * MIB);
    await site.uploads.finish(anna, 'u', pathOf('a'));
    assert.equal((await usage(site)).usedBytes, 7 * MIB);
    await assert.rejects(site.uploads.begin(anna, 'v', 11 * MIB), failsWith('quota'));
  });

  it('that nobody goes on with gives its room back, and may ask again', async () => {
    const site = limited();
    await site.uploads.begin(anna, 'u', 6 * MIB, { destination: pathOf('a') });
    site.now += RESERVATION_MS;
    await isPromised(site, 0);
    await put(site, '1', 3 * MIB);
    await isPromised(site, 6 * MIB);
  });

  it('finds its room again after a restart', async () => {
    const metadata = new MemoryMetadataStore();
    const before = new ShareSite({ metadata, quotaBytes: QUOTA_BYTES });
    await before.uploads.begin(anna, 'u', MIB);
    await put(before, '1', MIB);
    const after = new ShareSite({ metadata, quotaBytes: QUOTA_BYTES });
    await isPromised(after, MIB);
    await put(after, '1', MIB);
    await isPromised(after, MIB);
    await after.uploads.finish(anna, 'u', pathOf('a'));
    await isPromised(after, 0);
  });

  it('reserves nothing in a share for who may not write there', async () => {
    const site = limited();
    await site.folder(anna, 'plans');
    await site.grant(anna, 'plans', 'ben', 'viewer');
    await site.uploads.begin(ben, 'u', 6 * MIB, { destination: pathOf('plans/a') });
    await isPromised(site, 0, anna);
    await isPromised(site, 0, ben);
  });
});

describe('fifty uploads at once', () => {
  it('never take more than the quota, and use what they took', async () => {
    const site = new ShareSite({ quotaBytes: QUOTA_BYTES });
    let largestBytes = 0;
    const watch = async (): Promise<void> => {
      const { usedBytes, reservedBytes } = await usage(site);
      largestBytes = Math.max(largestBytes, usedBytes + reservedBytes);
    };
    const one = async (n: number): Promise<number> => {
      const sizeBytes = 200_000 + n * 7_919;
      const path = pathOf(`f${n}`);
      const isWhole = n % 3 !== 2;
      if (isWhole) {
        const body = slow(sizeBytes, { isAnnounced: n % 3 === 0, pieceBytes: 60_000 });
        body.goOn();
        await site.files.upload(anna, path, body).finally(watch);
        return sizeBytes;
      }
      await site.uploads.begin(anna, `u${n}`, sizeBytes, { destination: path });
      await watch();
      const half = Math.floor(sizeBytes / 2);
      await site.uploads.putPart(anna, { uploadId: `u${n}`, name: '1' }, big(half));
      await site.uploads.putPart(anna, { uploadId: `u${n}`, name: '2' }, big(sizeBytes - half));
      await site.uploads.finish(anna, `u${n}`, path).finally(watch);
      return sizeBytes;
    };
    const ends = await Promise.allSettled(Array.from({ length: 50 }, (_, n) => one(n)));
    const tookBytes = ends.reduce((sum, end) =>
      sum + (end.status === 'fulfilled' ? end.value : 0), 0);
    for (const end of ends) {
      if (end.status === 'rejected') assert.ok(failsWith('quota')(end.reason), String(end.reason));
    }
    const { usedBytes, reservedBytes } = await usage(site);
    assert.deepEqual([usedBytes, reservedBytes], [tookBytes, 0]);
    assert.ok(largestBytes <= QUOTA_BYTES && tookBytes > QUOTA_BYTES / 2);
  });
});

describe('a space without a quota', () => {
  it('asks the store for nothing more than before there were quotas', async () => {
    const calls: string[] = [];
    const metadata: MetadataStore = new Proxy<MetadataStore>(new MemoryMetadataStore(), {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          const [change] = args as [{ op?: string } | undefined];
          if (key !== 'listGrantsTo') calls.push(change?.op ?? String(key));
          return Reflect.apply(value, target, args);
        };
      },
    });
    const site = new ShareSite({ metadata });
    await site.files.upload(anna, pathOf('a'), big(MIB));
    calls.length = 0;
    await site.files.upload(anna, pathOf('b'), big(2 * MIB));
    const unknown = slow(MIB, { isAnnounced: false });
    unknown.goOn();
    await site.files.upload(anna, pathOf('c'), unknown);
    assert.deepEqual(calls.splice(0), ['resolve', 'put-file', 'resolve', 'put-file']);
    await site.uploads.begin(anna, 'u', MIB, { destination: pathOf('d') });
    await site.uploads.putPart(anna, { uploadId: 'u', name: '1' }, big(MIB));
    await site.uploads.finish(anna, 'u', pathOf('d'));
    assert.deepEqual(calls, [
      'begin-upload', 'findUpload', 'put-part', 'listParts', 'findUpload', 'resolve', 'listParts',
      'put-file',
    ]);
  });
});

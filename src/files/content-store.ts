/** Content of files on a block store: bodies in, manifests, bytes out. Knows no names. */
import { HoldfastError } from '../base/errors.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import type { NodeId, TenantId } from '../base/ids.ts';
import type { Witness } from '../base/witness.ts';
import type { MetadataStore, NodeRecord } from '../metadata/index.ts';
import type { BlockClaim, BlockReclaim, BlockStore } from '../storage/index.ts';
import type { BodySource } from './body.ts';
import type { Checksum, ChecksumAlgorithm } from './checksums.ts';
import type { ContentDirectory } from './content-homes.ts';
import { blocksOf, FileContent } from './download.ts';
import type { BlockRef } from './manifest.ts';
import { decodeManifest } from './manifest.ts';
import type { WriteSample } from './write-watch.ts';
import { receive, ReceiveBudget, storeManifest } from './receive.ts';

export interface StoredContent {
  sizeBytes: number;
  manifest: Uint8Array;
  checksum: Checksum | undefined;
}

/** Files of whose versions one is remembered by its blocks: no version ever changes. */
const REMEMBERED_MAX = 32_000;
const REMEMBERED_BLOCKS_MAX = 8;
/** Blocks of which a store is asked together whether it has them. */
const HELD_AT_ONCE = 64;

/** The blocks of a file as of one revision of its content. */
interface KnownBlocks {
  readonly contentRev: number;
  readonly blocks: readonly BlockRef[];
}

/** What the stores of one process have together: its bounds hold for all tenants at once. */
export class ContentShare {
  readonly budget = new ReceiveBudget();
  /** Node ids are unique over all spaces. */
  readonly known = new Map<NodeId, KnownBlocks>();
}

export class ContentStore implements ContentDirectory {
  /** Whose content it holds. */
  readonly tenant: TenantId;
  readonly #budget: ReceiveBudget;
  readonly #known: Map<NodeId, KnownBlocks>;
  readonly #blocks: BlockStore;
  readonly #metadata: MetadataStore;
  readonly #witness: () => Witness;
  readonly #claims: Pick<BlockReclaim, 'claim'>;

  constructor(parts: {
    blocks: BlockStore;
    metadata: MetadataStore;
    witness: () => Witness;
    /** Of the same block store. */
    claims: Pick<BlockReclaim, 'claim'>;
    tenant?: TenantId;
    share?: ContentShare;
  }) {
    const { budget, known } = parts.share ?? new ContentShare();
    this.#budget = budget;
    this.#known = known;
    this.tenant = parts.tenant ?? DEFAULT_TENANT;
    this.#blocks = parts.blocks;
    this.#claims = parts.claims;
    this.#metadata = parts.metadata;
    this.#witness = parts.witness;
  }

  /** This one: wherever it is the only one, it holds the content of all. */
  at(): this {
    return this;
  }

  of(): this {
    return this;
  }

  /** What is durable now: goes into the metadata with what refers to it. */
  witness(): Witness {
    return this.#witness();
  }

  /** @throws full; unavailable: spares the client a body that would be refused anyway. */
  checkWritable(): void {
    const { refusesWrites } = this.#blocks.state();
    if (refusesWrites === undefined) return;
    if (refusesWrites === 'full') {
      const message = 'The server has run out of room: files can be read and deleted, not added.';
      throw new HoldfastError('full', 'files/checkWritable', message);
    }
    const message = 'The server cannot write to its disk at the moment. Nothing was stored.';
    throw new HoldfastError('unavailable', 'files/checkWritable', message, {
      facts: { refusesWrites },
    });
  }

  /** Runs `work`, which stores or joins content and commits what refers to it. What it hands to the
   *  claim is safe from garbage collection until it is settled: then it is referred to, or never
   *  will be. */
  async claimed<T>(work: (claim: BlockClaim) => Promise<T>): Promise<T> {
    const claim = this.#claims.claim();
    try {
      return await work(claim);
    } finally {
      claim.release();
    }
  }

  /** Resolves when all of the body is durable. @throws as `receive` in receive.ts says. */
  async receive(
    body: BodySource,
    options: {
      algorithm?: ChecksumAlgorithm | undefined;
      reserve?: ((totalBytes: number) => Promise<void> | undefined) | undefined;
      claim: BlockClaim;
      sample?: WriteSample | undefined;
      signal?: AbortSignal;
    },
  ): Promise<StoredContent> {
    const budget = this.#budget;
    const received = await receive(this.#blocks, body, { ...options, budget });
    const { sizeBytes, checksum } = received;
    const { claim } = options;
    const manifest = await storeManifest(this.#blocks, received, { budget, claim });
    return { sizeBytes, manifest, checksum };
  }

  /** One manifest for parts in a row: no byte of them is touched.
   *  @throws conflict `part-gone`: a part was replaced since `parts` were read, and its blocks have
   *  been collected. */
  async join(
    parts: readonly { manifest: Uint8Array }[], claim: BlockClaim,
  ): Promise<StoredContent> {
    const blocks: BlockRef[] = [];
    let sizeBytes = 0;
    for (const part of parts) {
      const manifest = decodeManifest(part.manifest);
      sizeBytes += manifest.sizeBytes;
      const found = await blocksOf(this.#blocks, manifest);
      if (!(await holdAll(claim, found))) throw partGone();
      blocks.push(...found);
    }
    const budget = this.#budget;
    const manifest = await storeManifest(this.#blocks, { blocks, sizeBytes }, { budget, claim });
    return { sizeBytes, manifest, checksum: undefined };
  }

  /** The content of a file node as it is now. @throws corrupt. */
  async open(node: NodeRecord): Promise<FileContent> {
    const { spaceId, id, contentRev } = node;
    const known = this.#known.get(id);
    if (known?.contentRev === contentRev) {
      return new FileContent(node, this.#blocks, known.blocks);
    }
    const version = await this.#metadata.getVersion(spaceId, id, contentRev);
    const blocks = await this.blocksOf(version.manifest);
    if (blocks.length <= REMEMBERED_BLOCKS_MAX) this.#remember(id, { contentRev, blocks });
    return new FileContent(node, this.#blocks, blocks);
  }

  #remember(id: NodeId, known: KnownBlocks): void {
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear(); // Cheaper than one by one.
    this.#known.set(id, known);
  }

  async blocksOf(manifest: Uint8Array): Promise<readonly BlockRef[]> {
    return blocksOf(this.#blocks, decodeManifest(manifest));
  }

  /** All bytes in order, block by block. */
  async *readManifest(manifest: Uint8Array, signal: AbortSignal): AsyncGenerator<Buffer> {
    for (const block of await this.blocksOf(manifest)) yield this.readBlock(block, signal);
  }

  /** Reads a block whole. @throws corrupt; not-found. */
  async readBlock(block: BlockRef, signal?: AbortSignal): Promise<Buffer> {
    return this.#blocks.get(block.id, signal);
  }
}

/** Holds all of them; where a store has to be asked, many at once. False: one is not there. */
export async function holdAll(claim: BlockClaim, blocks: readonly BlockRef[]): Promise<boolean> {
  let areThere = true;
  for (let at = 0; at < blocks.length; at += HELD_AT_ONCE) {
    const page = blocks.slice(at, at + HELD_AT_ONCE);
    const held = await Promise.all(page.map(async ({ id }) => claim.hold(id)));
    areThere &&= !held.includes(false);
  }
  return areThere;
}

function partGone(): HoldfastError {
  const message = 'A part of this upload is not stored any more. Please upload it again.';
  return new HoldfastError('conflict', 'files/join', message, { code: 'part-gone' });
}

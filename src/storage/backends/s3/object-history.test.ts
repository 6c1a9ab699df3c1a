// Method: many seeds of random work on one bucket: uploads that claim, put and refer; references
// that end; censuses, batches to the trash, inspections, erasures; requests that fail, are late or
// lose their answer; starts anew at any point. In half of the histories blocks are encrypted.
// Uploads run while the collector does. After every step each block that is referred to must be
// readable, whatever else has happened.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { SeededRandom, systemClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import { BlockSealer } from '../../sealing/block-sealer.ts';
import { KeyRing } from '../../sealing/key-ring.ts';
import { FaultProxy } from '../testing/fault-proxy.ts';
import type { Fault } from '../testing/fault-proxy.ts';
import { Gatekeeper } from '../testing/gatekeeper.ts';
import { StandInService, STAND_IN_BUCKET, STAND_IN_KEY } from '../testing/stand-in-service.ts';
import type { ObjectBlockStore } from './object-block-store.ts';
import { openS3BlockStore } from './s3-block-store.ts';
import type { S3Options } from './s3-options.ts';
import { QUICK_LIMITS, storeOptions } from './testing/store-options.ts';

const SEEDS = 4;
const RING = KeyRing.create(Buffer.alloc(32, 'master'), 'default', 1);
const STEPS = 25;
const CONTENTS = 12;
const UPLOADERS = 3;
const UPLOADS = 3;
const FAULTS: readonly Fault[] = ['error-500', 'lost-answer', 'reset-request', 'reset-response'];

let server: StandInService;
let gate: Gatekeeper;
let proxy: FaultProxy;
before(async () => {
  server = await StandInService.start('amazon');
  gate = await Gatekeeper.start(server.url);
  const random = new SeededRandom(1);
  gate.dawdle = () => new Promise((go) => {
    systemClock.after(random.below(4), go);
  });
  proxy = await FaultProxy.start(gate.url, systemClock);
});
after(async () => {
  await proxy.close();
  await gate.close();
  await server.stop();
});

class History {
  readonly #random: SeededRandom;
  readonly #options: S3Options;
  readonly #blocks: readonly Block[];
  readonly #referred = new Map<BlockId, number>();
  #store: ObjectBlockStore | undefined;
  erasedCount = 0;
  trashedCount = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const at = { endpoint: proxy.url, bucket: STAND_IN_BUCKET, credentials: STAND_IN_KEY };
    const seals = seed % 2 === 0;
    const sealer = seals ? new BlockSealer({ compression: 'auto', keys: RING }) : undefined;
    this.#options = storeOptions(at, {
      limits: { ...QUICK_LIMITS, attemptsMax: 2 }, openSealer: () => Promise.resolve(sealer),
    });
    this.#blocks = Array.from({ length: CONTENTS }, (_, number) =>
      Block.of([Buffer.from(`content ${number} of ${seed}`)]));
  }

  async play(): Promise<void> {
    await this.#restart();
    for (let step = 0; step < STEPS; step++) {
      if (this.#happens(15)) await this.#restart();
      if (this.#happens(20)) this.#spoil();
      // Uploads begin when the collector is at one of its steps, so that each step meets them.
      const begin = Promise.withResolvers<void>();
      const at = this.#random.below(3);
      const collection = this.#collect((phase) => {
        if (phase === at) begin.resolve();
      }).finally(begin.resolve);
      const uploaders = Array.from({ length: UPLOADERS }, () =>
        begin.promise.then(() => this.#uploadOften()));
      const outcomes = await Promise.allSettled([...uploaders, collection]);
      proxy.heal();
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') continue;
        assert.ok(outcome.reason instanceof HoldfastError, String(outcome.reason));
      }
      await this.#check(step);
    }
    await this.#store?.close();
  }

  #happens(percent: number): boolean {
    return this.#random.below(100) < percent;
  }

  async #opened(): Promise<ObjectBlockStore> {
    this.#store ??= await openS3BlockStore(this.#options);
    await this.#store.ready();
    return this.#store;
  }

  async #restart(): Promise<void> {
    await this.#store?.close();
    this.#store = undefined;
    await this.#opened();
  }

  #spoil(): void {
    const method = ['PUT', 'GET', 'HEAD', 'DELETE', 'DELETE'][this.#random.below(5)] ?? 'DELETE';
    const fault = FAULTS[this.#random.below(FAULTS.length)] ?? 'error-500';
    proxy.spoil({ fault, method, times: 1 + this.#random.below(3) });
  }

  async #uploadOften(): Promise<void> {
    for (let count = 0; count < UPLOADS; count++) {
      this.#forget();
      await this.#upload();
    }
  }

  /** As `files` does it: claims, puts, refers, lets go. A failed one refers to nothing. */
  async #upload(): Promise<void> {
    const store = await this.#opened();
    const claim = store.reclaim.claim();
    try {
      const some = this.#blocks
        .filter(({ id }) => this.#happens(this.#referred.has(id) ? 5 : 30));
      await Promise.all(some.map((block) => {
        claim.add(block.id);
        return store.put(block);
      }));
      for (const { id } of some) this.#referred.set(id, (this.#referred.get(id) ?? 0) + 1);
    } finally {
      claim.release();
    }
  }

  /** Some references end, as when a version is purged. */
  #forget(): void {
    for (const id of [...this.#referred.keys()]) {
      if (this.#happens(60)) this.#referred.delete(id);
    }
  }

  async #collect(reached: (phase: number) => void): Promise<void> {
    const { reclaim, keeper } = await this.#opened();
    reached(0);
    const census = reclaim.beginCensus();
    const absent = reclaim.need(census, [...this.#referred.keys()]);
    assert.deepEqual(absent, []);
    for await (const page of reclaim.listUnneeded(census)) {
      reclaim.condemn(census, page.map(({ id }) => id));
    }
    for await (const { volumeId } of keeper.listUses()) {
      reached(1);
      await keeper.compact(volumeId);
      reached(2);
      if (this.#happens(10)) return; // As if it had died here.
      await keeper.moveToTrash(volumeId);
      this.trashedCount += 1;
    }
    for (const { volumeId } of await keeper.listTrash()) {
      if (this.#happens(50)) await this.#inspect(volumeId);
    }
  }

  async #inspect(volumeId: number): Promise<void> {
    const { keeper } = await this.#opened();
    const inspection = await keeper.inspectTrash([volumeId]);
    inspection.need([...this.#referred.keys()]);
    const [result] = await inspection.finish();
    assert.equal(result?.rescuedCount, 0, 'nothing that is needed was ever only there');
    await keeper.unlink(volumeId);
    this.erasedCount += 1;
  }

  async #check(step: number): Promise<void> {
    const store = await this.#opened();
    for (const id of this.#referred.keys()) {
      const bytes = await store.get(id).catch((error: unknown) => String(error));
      assert.ok(Buffer.isBuffer(bytes), `step ${step}: block ${id.slice(0, 8)}: ${String(bytes)}`);
    }
  }
}

it('no history of uploads, collections, faults and starts loses a block in use', async () => {
  let trashed = 0;
  let erased = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const history = new History(seed);
    await history.play().catch((cause: unknown) => {
      throw new Error(`seed ${seed}`, { cause });
    });
    trashed += history.trashedCount;
    erased += history.erasedCount;
  }
  const walked = `${trashed} to the trash, ${erased} erased: that proves little`;
  assert.ok(trashed > SEEDS && erased > SEEDS, walked);
});

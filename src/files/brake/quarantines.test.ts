/** What one server makes of quarantines that another one has opened, on the same metadata. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import type { HeldRecord } from '../../metadata/index.ts';
import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import { BrakeSite, laptop, phone } from './testing/brake-site.ts';
import { Quarantines } from './quarantines.ts';

/** Can fail to list what is held, and be told when it is asked. */
class WatchedStore extends MemoryMetadataStore {
  onListHeld: () => void = () => undefined;

  override listHeld(...args: Parameters<MemoryMetadataStore['listHeld']>): Promise<HeldRecord[]> {
    try {
      this.onListHeld();
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return super.listHeld(...args);
  }
}

describe('Quarantines that another server opens', () => {
  let metadata: WatchedStore;
  let site: BrakeSite;
  let other: Quarantines;
  beforeEach(async () => {
    metadata = new WatchedStore();
    site = new BrakeSite({ metadata });
    for (const name of 'abcdef') await site.write(phone, name);
    site.age();
    other = new Quarantines({ metadata });
    await other.load();
  });

  const brake = async (): Promise<void> => {
    for (const name of 'abcd') await site.remove(laptop, name);
  };
  const heldCount = async (): Promise<number | undefined> =>
    other.live(laptop, (await site.only()).spaceId)?.held.size;

  it('are learned, the first of all as well', async () => {
    await brake();
    await other.learn();
    assert.equal(await heldCount(), 1);
    assert.equal(other.openCount, 1);
  });

  it('are learned by the next try when one has failed', async () => {
    await brake();
    metadata.onListHeld = () => {
      throw new HoldfastError('unavailable', 'test', 'away');
    };
    await assert.rejects(other.learn());
    metadata.onListHeld = () => undefined;
    await other.learn();
    assert.equal(await heldCount(), 1);
  });

  it('hold the device back also while it is read what else was held, and until decided',
    async () => {
      await brake();
      await other.learn();
      const { spaceId } = await site.only();
      await site.remove(laptop, 'e');
      const seen: (number | undefined)[] = [];
      metadata.onListHeld = () => {
        seen.push(other.live(laptop, spaceId)?.held.size);
      };
      await other.learn();
      assert.deepEqual([seen[0], await heldCount(), other.openCount], [1, 2, 1]);
      metadata.onListHeld = () => undefined;
      await site.keep();
      await other.learn();
      assert.deepEqual([other.live(laptop, spaceId), other.openCount], [undefined, 0]);
    });
});

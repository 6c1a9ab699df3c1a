/** The check of what was acknowledged sees what it is there for. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { HoldfastError } from '../../../../base/errors.ts';
import { Hand } from '../../../conformance/hand.ts';
import type { EventRecord } from '../../../records.ts';
import { MemoryMetadataStore } from '../../memory/memory-metadata-store.ts';
import { AcknowledgedLoad } from './acknowledged-load.ts';

/** Falsifies the journal once callers have written. */
class FalseStore extends MemoryMetadataStore {
  falsify = (events: EventRecord[]): EventRecord[] => events;

  override async listEvents(
    ...args: Parameters<MemoryMetadataStore['listEvents']>
  ): Promise<EventRecord[]> {
    return this.falsify(await super.listEvents(...args));
  }
}

describe('The check of what was acknowledged', () => {
  const store = new FalseStore();
  let load: AcknowledgedLoad;
  before(async () => {
    load = new AcknowledgedLoad(await Hand.on(store), {
      callerCount: 1, nodeInUse: () => 'node2',
    });
    await load.more(5);
    await load.stop();
  });

  it('passes when all is there', async () => {
    await load.assertKept();
  });

  it('names what is missing, and who acknowledged it', async () => {
    store.falsify = (events) => events.filter(({ rev }) => rev !== 2);
    await assert.rejects(load.assertKept(),
      /revision 2, update 0-0, acknowledged after \d+ ms by node2, is missing/);
    await assert.rejects(load.assertKept(), /revision 3 follows 1/);
  });

  it('names what was done twice, or what nobody asked for', async () => {
    store.falsify = (events) => events.flatMap((event, at) =>
      (at === events.length - 1 ? [event, { ...event, rev: event.rev + 1 }] : [event]));
    await assert.rejects(load.assertKept(), / is twice, or nobody's/);
    await assert.rejects(load.assertKept(), / at revision \d+ and \d+/);
  });

  it('names what is there in place of what was acknowledged', async () => {
    store.falsify = (events) => events.map((event) =>
      (event.rev === 1 ? { ...event, kind: 'delete' } : event));
    await assert.rejects(load.assertKept(), /revision 1, create 0-0, .*, is delete 0-0 of node/);
  });

  it('takes what was refused for made or not, but no error for a calm refusal', async () => {
    const other = new FalseStore();
    const h = await Hand.on(other);
    other.commit = () => Promise.reject(new HoldfastError('internal', 'test', 'no'));
    const refused = new AcknowledgedLoad(h, { callerCount: 1, nodeInUse: () => 'node2' });
    await refused.moreRefusals(1);
    await refused.stop();
    await refused.assertKept();
    assert.throws(() => refused.assertCalmRefusals());
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { KnownNames } from './known-names.ts';

describe('names that are known while they are listed', () => {
  it('keep what was made and removed meanwhile, however many listings are under way', async () => {
    const names = new KnownNames();
    names.add('old');
    const [first, second] = [Promise.withResolvers<string[]>(), Promise.withResolvers<string[]>()];
    const listing = names.relist(() => first.promise);
    names.add('made');
    names.delete('old');
    const again = names.relist(() => second.promise);
    second.resolve(['made', 'other']);
    await again;
    names.add('late');
    first.resolve(['old']); // As it was before all that.
    await listing;
    assert.deepEqual([...names].sort(), ['late', 'made']);
    await names.relist(() => Promise.resolve(['other']));
    assert.deepEqual([...names], ['other'], 'what was changed before it began is not kept');
  });

  it('stay as they are when a listing fails', async () => {
    const names = new KnownNames();
    names.add('old');
    await assert.rejects(names.relist(() => Promise.reject(new Error('away'))), /away/);
    assert.ok(names.has('old'));
  });
});

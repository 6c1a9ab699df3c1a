import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ManifestRecord } from '../records.ts';
import { mergeManifests } from './merged-pages.ts';

function held(heldId: number, text = ''): ManifestRecord {
  return { place: { kind: 'held', heldId }, manifest: Buffer.from(text) };
}

function idsOf(records: readonly ManifestRecord[]): number[] {
  return records.map(({ place }) => (place.kind === 'held' ? place.heldId : 0));
}

describe('Manifests of several shards', () => {
  it('are answered no further than the shortest page, which need not be an end', () => {
    const pages = [[held(1), held(2)], [held(3), held(4), held(5)], []];
    assert.deepEqual(idsOf(mergeManifests(pages, 10)), [1, 2]);
    assert.deepEqual(idsOf(mergeManifests([[], [held(3)]], 10)), [3]);
    assert.deepEqual(mergeManifests([[], []], 10), []);
  });

  it('are answered once if two have the same, and both, on one page, if they differ', () => {
    const same = [[held(1, 'a'), held(2, 'b')], [held(1, 'a'), held(2, 'b')]];
    assert.deepEqual(idsOf(mergeManifests(same, 10)), [1, 2]);
    const other = [[held(1, 'a'), held(2, 'b')], [held(1, 'x'), held(2, 'b')]];
    assert.deepEqual(idsOf(mergeManifests(other, 1)), [1, 1]);
    assert.deepEqual(idsOf(mergeManifests(other, 10)), [1, 1, 2]);
  });
});

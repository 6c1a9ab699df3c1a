/** The promises of MetadataStore. Every implementation and every wrapper runs them. */
import { afterEach, beforeEach, describe } from 'node:test';
import { testLocks, testProperties, testUploads } from './conformance/aside-promises.ts';
import { Hand } from './conformance/hand.ts';
import { testManifests } from './conformance/manifest-promises.ts';
import { testCopies, testMoves, testQuota, testTrash } from './conformance/place-promises.ts';
import { testFiles, testJournal, testListing } from './conformance/tree-promises.ts';
import type { MetadataStore } from './metadata-store.ts';

const AREAS: readonly (readonly [area: string, test: (hand: () => Hand) => void])[] = [
  ['files and folders', testFiles],
  ['listings', testListing],
  ['the journal', testJournal],
  ['moves', testMoves],
  ['the trash', testTrash],
  ['copies', testCopies],
  ['the quota', testQuota],
  ['locks', testLocks],
  ['dead properties', testProperties],
  ['uploads in pieces', testUploads],
  ['what refers to content', testManifests],
];

export function testMetadataStore(name: string, makeEmpty: () => Promise<MetadataStore>): void {
  describe(`${name} keeps the promises of MetadataStore`, () => {
    let hand: Hand;
    beforeEach(async () => {
      hand = await Hand.on(await makeEmpty());
    });
    afterEach(async () => {
      await hand.store.close();
    });

    for (const [area, test] of AREAS) describe(`on ${area}`, () => test(() => hand));
  });
}

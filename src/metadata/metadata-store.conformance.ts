/** The promises of MetadataStore. Every implementation and every wrapper runs them. */
import { afterEach, beforeEach, describe } from 'node:test';
import { testGrants, testMounts, testTeamSpaces } from './conformance/access-promises.ts';
import { testAcross } from './conformance/across-promises.ts';
import { testLocks, testProperties, testUploads } from './conformance/aside-promises.ts';
import { testFollowing } from './conformance/follow-promises.ts';
import { Hand } from './conformance/hand.ts';
import { testHolds } from './conformance/hold-promises.ts';
import { testManifests } from './conformance/manifest-promises.ts';
import {
  testBatches, testDiff, testForgetting, testPast, testRetentionRules,
} from './conformance/past-promises.ts';
import { testCopies, testMoves, testQuota, testTrash } from './conformance/place-promises.ts';
import { testReservations } from './conformance/reservation-promises.ts';
import { testTenants } from './conformance/tenant-promises.ts';
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
  ['the past', testPast],
  ['differences', testDiff],
  ['forgetting', testForgetting],
  ['rules of forgetting', testRetentionRules],
  ['batches', testBatches],
  ['quarantines', testHolds],
  ['grants', testGrants],
  ['team spaces', testTeamSpaces],
  ['mounts', testMounts],
  ['other spaces', testAcross],
  ['reservations', testReservations],
  ['tenants', testTenants],
  ['followers of journals', testFollowing],
];

/** `giveBack` is done with each store behind its test; it may let the next test have it. */
export function testMetadataStore(
  name: string, makeEmpty: () => Promise<MetadataStore>,
  giveBack = (store: MetadataStore): Promise<void> => store.close(),
): void {
  describe(`${name} keeps the promises of MetadataStore`, () => {
    let hand: Hand;
    beforeEach(async () => {
      hand = await Hand.on(await makeEmpty());
    });
    afterEach(async () => {
      await giveBack(hand.store);
    });

    for (const [area, test] of AREAS) describe(`on ${area}`, () => test(() => hand));
  });
}

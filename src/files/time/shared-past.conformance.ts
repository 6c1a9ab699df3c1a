/** Permissions, shares and links in time: brought back by a restore, and judged for whoever looks
 *  back. Runs on every metadata store. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Caller } from '../../identity/index.ts';
import type { BatchRecord, GrantRecord, MetadataStore } from '../../metadata/index.ts';
import {
  ShareSite, anna, ben, callerNamed, carl, failsWith, pathOf,
} from '../testing/share-site.ts';
import type { When } from './moment.ts';
import { Batches } from './restore/batches.ts';
import { RetentionJob } from './retention/retention-job.ts';
import { DAY_MS } from './retention/thinning.ts';
import { TimeService } from './time-service.ts';
import { VersionService } from './version-service.ts';

const MINUTE_MS = 60_000;
const WITH_SHARING = { withSharing: true };

class Scene extends ShareSite {
  readonly batches: Batches;
  readonly time: TimeService;
  readonly versions: VersionService;

  constructor(metadata: MetadataStore) {
    super({ metadata });
    const { content, spaces, files, groupsAt } = this;
    const now = (): number => this.now;
    const parts = { metadata, content, spaces, now, groupsAt };
    this.batches = new Batches({
      metadata, content, now, onTrouble: (_, error) => assert.fail(error as Error),
    });
    this.time = new TimeService({ ...parts, batches: this.batches });
    this.versions = new VersionService({ ...parts, files });
  }

  /** Answers the instant of what was done so far. */
  tick(): When & { at: number } {
    const at = this.now;
    this.now += MINUTE_MS;
    return { at };
  }

  async restore(caller: Caller, path: string, when: When, options = {}): Promise<BatchRecord> {
    const { id } = await this.time.restore(caller, pathOf(path), when, options);
    return this.batches.settled(id);
  }

  async undo(caller: Caller, batch: BatchRecord): Promise<BatchRecord> {
    const { id } = await this.time.undo(caller, batch.id);
    return this.batches.settled(id);
  }

  /** Who has what, by ids of grants. */
  async grants(): Promise<unknown[]> {
    const { id } = await this.spaces.personalSpace(anna);
    const grants = await this.metadata.listGrants(id);
    return grants.map(({ revFrom: _, ...grant }: GrantRecord) => grant);
  }

  /** The contents that somebody may know of, oldest first. */
  async contents(caller: Caller, path: string): Promise<string[]> {
    const kept = (await this.versions.list(caller, pathOf(path))).toReversed();
    return Promise.all(kept.map(async ({ contentRev }) => {
      const content = await this.versions.open(caller, pathOf(path), contentRev);
      return (await content.readWhole()).toString();
    }));
  }
}

export function testSharedPast(name: string, makeEmpty: () => Promise<MetadataStore>): void {
  let s: Scene;

  describe(`Sharing brought back by a restore on ${name}`, () => {
    beforeEach(async () => {
      s = new Scene(await makeEmpty());
      await s.folder(anna, 'box');
      await s.folder(anna, 'box/in');
      await s.write(anna, 'box/note', '1');
    });
    afterEach(() => s.metadata.close());

    it('is what it was then, down to ids, links and their counts, and the undo takes it back',
      async () => {
        const link = await s.grant(anna, 'box', { kind: 'link', tokenHash: 'old' }, 'viewer');
        const expires = { expiresAt: s.now + MINUTE_MS / 2 };
        await s.grant(anna, 'box', { kind: 'link', tokenHash: 'brief' }, 'viewer', expires);
        const toBen = await s.grant(anna, 'box', 'ben', 'viewer');
        await s.grant(anna, 'box/in', 'carl', 'editor');
        assert.ok(link.grant !== undefined);
        const { id: grantId, spaceId } = link.grant;
        await s.metadata.commit({ op: 'count-download', spaceId, grantId });
        const asBefore = await s.grants();
        const then = s.tick();
        await s.revoke(link, anna);
        await s.revoke(toBen, anna);
        await s.grant(anna, 'box', 'ben', 'editor');
        await s.grant(anna, 'box/in', 'carl', 'none');
        await s.grant(anna, 'box', { kind: 'link', tokenHash: 'new' }, 'editor');
        await s.grant(anna, 'box', 'dora', 'viewer');
        await s.write(anna, 'box/note', '2');
        const asLater = await s.grants();
        s.tick();

        const batch = await s.restore(anna, 'box', then, WITH_SHARING);
        assert.deepEqual(await s.grants(), asBefore);
        assert.equal((await s.metadata.findLink('old'))?.downloads, 1);
        assert.equal(await s.metadata.findLink('new'), undefined);
        assert.equal((await s.metadata.findLink('brief'))?.expiresAt, expires.expiresAt);
        assert.deepEqual([await s.read(anna, 'box/note'), batch.skippedCount], ['1', 0]);
        const again = await s.restore(anna, 'box', then, WITH_SHARING);
        assert.equal(again.doneCount, 0, 'what is right already is left alone');

        await s.undo(anna, batch);
        assert.deepEqual(await s.grants(), asLater);
        assert.equal(await s.read(anna, 'box/note'), '2');
      });

    it('is left alone when nobody asks for it, above the folder, and where others changed it since',
      async () => {
        const toBen = await s.grant(anna, 'box', 'ben', 'viewer');
        const toCarl = await s.grant(anna, 'box/in', 'carl', 'viewer');
        const then = s.tick();
        await s.revoke(toCarl, anna);
        await s.revoke(toBen, anna);
        const bare = await s.grants();
        await s.restore(anna, '', then);
        assert.deepEqual(await s.grants(), bare);
        await s.restore(anna, 'box/in', then, WITH_SHARING);
        assert.deepEqual((await s.grants()).length, 1, 'of the folder alone');
        const whole = await s.restore(anna, '', then, WITH_SHARING);
        await s.grant(anna, 'box', 'ben', 'editor');
        const undo = await s.undo(anna, whole);
        assert.equal(undo.skippedCount, 1);
        const roles = (await s.metadata.listGrants(undo.spaceId)).map(({ role }) => role);
        assert.deepEqual(roles.toSorted(), ['editor', 'viewer']);
      });

    it('comes with a folder that was deleted, and goes with what was not there', async () => {
      await s.grant(anna, 'box/in', 'ben', 'viewer');
      const then = s.tick();
      await s.files.remove(anna, pathOf('box'));
      await s.folder(anna, 'box');
      await s.grant(anna, 'box', 'carl', 'editor');
      await s.restore(anna, '', then, WITH_SHARING);
      await s.names(ben);
      await s.names(carl);
      assert.deepEqual([await s.names(ben), await s.names(carl)], [['in'], []]);
    });

    it('is for those who may share there', async () => {
      await s.grant(anna, 'box', 'ben', 'editor');
      await s.names(ben);
      const then = s.tick();
      await s.grant(anna, 'box/in', 'carl', 'viewer');
      await assert.rejects(s.restore(ben, 'box', then, WITH_SHARING), failsWith('denied'));
      const batch = await s.restore(anna, 'box', then, WITH_SHARING);
      await assert.rejects(s.undo(ben, batch), failsWith('not-found'));
      const plain = await s.restore(ben, 'box', then);
      await s.undo(ben, plain);
    });
  });

  describe(`Versions of what others share on ${name}`, () => {
    beforeEach(async () => {
      s = new Scene(await makeEmpty());
      for (const text of ['one', 'two']) {
        await s.write(anna, 'note', text);
        s.tick();
      }
    });
    afterEach(() => s.metadata.close());

    it('are those that one could read: from what it held when it was shared', async () => {
      await s.grant(anna, 'note', 'ben', 'editor');
      await s.names(ben);
      assert.deepEqual(await s.contents(ben, 'note'), ['two']);
      s.tick();
      await s.write(anna, 'note', 'three');
      assert.deepEqual(await s.contents(ben, 'note'), ['two', 'three']);
      assert.deepEqual(await s.contents(anna, 'note'), ['one', 'two', 'three']);
      const [, , first] = await s.versions.list(anna, pathOf('note'));
      const old = first?.contentRev ?? assert.fail();
      await assert.rejects(s.versions.open(ben, pathOf('note'), old), failsWith('not-found'));
      await assert.rejects(s.versions.restore(ben, pathOf('note'), old), failsWith('not-found'));
    });

    it('leave out the time in which one was shut out', async () => {
      const shared = await s.grant(anna, 'note', 'ben', 'viewer');
      await s.write(anna, 'note', 'three');
      await s.revoke(shared, anna);
      await s.write(anna, 'note', 'four');
      await s.write(anna, 'note', 'five');
      await s.grant(anna, 'note', 'ben', 'viewer');
      await s.names(ben);
      assert.deepEqual(await s.contents(ben, 'note'), ['two', 'five']);
    });

    it('are not more for what was thinned out, nor for what is older than the past', async () => {
      await s.grant(anna, 'note', 'ben', 'viewer');
      await s.names(ben);
      await s.write(anna, 'note', 'three');
      const { at } = s.tick();
      const { id } = await s.spaces.personalSpace(anna);
      const { node } = await s.files.get(anna, pathOf('note'));
      // The second is gone: the first now stands before the third.
      const [, second] = await s.versions.list(anna, pathOf('note'));
      s.now = at + 40 * DAY_MS;
      await s.write(anna, 'later');
      const floorRev = await s.metadata.revisionAt(id, at);
      await s.metadata.commit({
        op: 'purge-slice', spaceId: id, floorRev, trashToRev: 0, rowsMax: 1_000,
      });
      assert.deepEqual(await s.contents(ben, 'note'), ['three']);
      const versions = [{ nodeId: node.id, contentRev: second?.contentRev ?? 0 }];
      await s.metadata.commit({ op: 'drop-versions', spaceId: id, versions });
      assert.deepEqual(await s.contents(ben, 'note'), ['three']);
      assert.deepEqual(await s.contents(anna, 'note'), ['one', 'three']);
    });
  });

  describe(`Groups of then and of now on ${name}`, () => {
    const inCrew = callerNamed('ben', ['crew'], 1);

    beforeEach(async () => {
      s = new Scene(await makeEmpty());
      await s.folder(anna, 'box');
      await s.write(anna, 'box/note', 'one');
    });
    afterEach(() => s.metadata.close());

    it('both count: who has joined since sees nothing of before, who has left nothing at all',
      async () => {
        await s.grant(anna, 'box', { kind: 'group', id: 'crew' }, 'viewer');
        await s.grant(anna, 'box', 'ben', 'viewer');
        await s.names(ben);
        const withOwnShare = s.tick();
        const { id } = await s.spaces.personalSpace(anna);
        const [, own] = await s.metadata.listGrants(id);
        await s.revoke({ grant: own } as never, anna);
        const before = s.tick();
        s.groups.set('ben', ['crew']);
        s.groupsBefore.set('ben', { until: s.now, groups: [] });
        const joined = s.tick();
        await s.write(anna, 'box/note', 'two');
        s.tick();
        const sees = async (caller: Caller, when: When): Promise<boolean> => {
          const view = await s.time.open(caller, when);
          return await view.find(pathOf('box/note')) !== undefined;
        };
        assert.deepEqual([
          await sees(inCrew, withOwnShare), await sees(inCrew, before), await sees(inCrew, joined),
        ], [true, false, true]);
        assert.deepEqual(await s.contents(inCrew, 'box/note'), ['one', 'two']);
        s.groups.delete('ben');
        s.groupsBefore.set('ben', { until: s.now, groups: ['crew'] });
        assert.equal(await sees(ben, joined), false);
      });
  });

  describe(`Rules of forgetting on ${name}`, () => {
    beforeEach(async () => {
      s = new Scene(await makeEmpty());
    });
    afterEach(() => s.metadata.close());

    it('are obeyed: the space\'s before the tenant\'s before the settings', async () => {
      const policy = { keepAllDays: 30, keepDailyDays: 365, trashKeepDays: 30 };
      const job = new RetentionJob({
        metadata: s.metadata, policy, now: () => s.now, pause: async () => undefined,
      });
      const owners = [anna, ben, carl];
      for (const owner of owners) {
        await s.write(owner, 'old');
        await s.write(owner, 'kept', '1');
        await s.write(owner, 'kept', '2');
        await s.files.remove(owner, pathOf('old'));
      }
      const left = async (): Promise<string[]> => Promise.all(owners.map(async (owner) => {
        const { id } = await s.spaces.personalSpace(owner);
        const trash = await s.metadata.listTrash(id, 10);
        const versions = await s.metadata.listVersionKeys(id, 10);
        const { revFloor } = await s.metadata.getHorizon(id);
        return `${trash.length} ${versions.length} ${revFloor > 0}`;
      }));
      const spaceOf = async (owner: Caller) => s.spaces.personalSpace(owner);
      const set = async (owner: Caller, rule: object): Promise<unknown> => s.metadata.commit({
        op: 'set-retention', scope: { kind: 'space', spaceId: (await spaceOf(owner)).id }, rule,
      });
      const { tenant } = await s.metadata.getSpace((await spaceOf(anna)).id);
      await s.metadata.commit({
        op: 'set-retention', scope: { kind: 'tenant', tenant }, rule: { trashKeepDays: 100 },
      });
      await set(anna, { keepAllDays: 0, trashKeepDays: 0 });
      await set(ben, { trashKeepDays: 10 });
      const whole = '1 3 false';
      assert.deepEqual(await left(), [whole, whole, whole]);
      for (const owner of owners) {
        s.now += DAY_MS;
        await s.write(owner, 'later');
      }
      s.now += 15 * DAY_MS;
      await job.run();
      assert.deepEqual(await left(), ['1 4 false', '0 3 true', '1 4 false']);
      s.now += 45 * DAY_MS;
      await job.run();
      assert.deepEqual(await left(), ['1 4 false', '0 2 true', '1 3 true']);
      s.now += 4_000 * DAY_MS;
      await job.run();
      assert.deepEqual(await left(), ['1 4 false', '0 2 true', '0 2 true']);
      for (const owner of owners) {
        assert.deepEqual(await s.names(owner), ['kept', 'later']);
        assert.equal(await s.read(owner, 'kept'), '2');
      }
    });
  });
}

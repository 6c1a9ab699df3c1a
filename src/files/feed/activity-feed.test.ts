import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Caller } from '../../identity/index.ts';
import type { MetadataStore } from '../../metadata/index.ts';
import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import { linkCaller } from '../view/link-caller.ts';
import { ShareSite, anna, ben, carl, failsWith, pathOf } from '../testing/share-site.ts';
import { ACTIVITY_LOOKED_MAX, ActivityFeed } from './activity-feed.ts';
import type { ActivityWanted } from './activity-feed.ts';
import type { SeenAct } from './seen-act.ts';

/** A site at which every step has a time of its own. */
class Site extends ShareSite {
  readonly feed = new ActivityFeed({
    metadata: this.metadata, spaces: this.spaces, now: () => this.now,
  });

  tick(): void {
    this.now += 60_000;
  }

  async has(caller: Caller, wanted: Partial<ActivityWanted> = {}): Promise<string[]> {
    return (await this.all(caller, wanted)).map(textOf);
  }

  /** All pages. */
  async all(caller: Caller, wanted: Partial<ActivityWanted> = {}): Promise<SeenAct[]> {
    const acts: SeenAct[] = [];
    let from: ActivityWanted['from'];
    do {
      const page = await this.feed.page(caller, { limit: 10, ...wanted, from });
      acts.push(...page.acts);
      from = page.next;
    } while (from !== undefined);
    return acts;
  }

  async remove(caller: Caller, path: string): Promise<void> {
    await this.files.remove(caller, pathOf(path));
  }

  async move(caller: Caller, from: string, to: string): Promise<void> {
    await this.files.move(caller, pathOf(from), pathOf(to), { replace: false });
  }
}

function textOf({ by, kind, path, oldPath, name, isThere }: SeenAct): string {
  const place = path === undefined ? `(${name})` : `/${path.join('/')}`;
  const from = oldPath === undefined ? '' : ` from /${oldPath.join('/')}`;
  return `${by} ${kind} ${place}${from}${isThere ? '' : ' gone'}`;
}

describe('What happened', () => {
  it('is told newest first, at the place where things are now', async () => {
    const site = new Site();
    for (const step of [
      () => site.folder(anna, 'docs'),
      () => site.write(anna, 'docs/a', 'one'),
      () => site.write(anna, 'docs/a', 'two'),
      () => site.move(anna, 'docs/a', 'docs/b'),
      () => site.move(anna, 'docs/b', 'b'),
      () => site.move(anna, 'b', 'c'),
      () => site.move(anna, 'c', 'b'),
      () => site.write(anna, 'docs/c'),
      () => site.remove(anna, 'docs/c'),
      () => site.remove(anna, 'docs'),
    ]) {
      await step();
      site.tick();
    }
    assert.deepEqual(await site.has(anna), [
      'anna deleted /docs gone',
      'anna deleted (c) gone',
      'anna added (c) gone',
      'anna renamed /b from /c',
      'anna renamed /c from /b',
      'anna moved /b',
      'anna renamed /b',
      'anna changed /b',
      'anna added /b',
      'anna added /docs gone',
    ]);
    const ats = (await site.all(anna)).map(({ at }) => at);
    assert.deepEqual(ats, ats.toSorted((a, b) => b - a));
    assert.deepEqual(await site.has(ben), []);
  });

  it('is told of what others share from when they do, and to those who may see it', async () => {
    const site = new Site();
    await site.folder(anna, 'shared');
    await site.folder(anna, 'shared/inner');
    await site.write(anna, 'shared/before');
    await site.write(anna, 'private');
    site.tick();
    await site.grant(anna, 'shared', 'ben', 'editor');
    site.tick();
    await site.write(anna, 'shared/new');
    site.tick();
    await site.write(ben, 'shared/inner/of ben');
    site.tick();
    await site.write(ben, 'own');
    site.tick();
    await site.move(anna, 'private', 'shared/came');
    site.tick();
    await site.move(anna, 'shared/new', 'taken');
    site.tick();
    await site.move(anna, 'shared', 'elsewhere');
    assert.deepEqual(await site.has(ben), [
      'anna deleted /shared/new gone',
      'anna added /shared/came',
      'ben added /own',
      'ben added /shared/inner/of ben',
      'anna added /shared/new gone',
    ]);
    assert.ok((await site.has(anna)).includes('ben added /elsewhere/inner/of ben'));
    assert.ok((await site.has(anna)).includes('anna shared /elsewhere'));
    assert.deepEqual(await site.has(carl), []);

    await site.grant(anna, 'elsewhere/inner', 'ben', 'none');
    assert.ok(!(await site.has(ben)).some((text) => text.includes('inner')));
    await site.folder(anna, 'elsewhere/secret');
    await site.write(anna, 'elsewhere/hush');
    assert.ok((await site.has(ben)).includes('anna added /shared/secret'));
    await site.grant(anna, 'elsewhere/secret', 'ben', 'none');
    await site.move(anna, 'elsewhere/hush', 'elsewhere/secret/quiet');
    const told = await site.has(ben);
    assert.ok(!told.some((text) => /secret|quiet/.test(text)), told.join('\n'));
    assert.ok(told.includes('anna deleted /shared/hush gone'));
    for (const { spaceId, id } of await site.metadata.listGrantsTo([{ kind: 'user', id: 'ben' }])) {
      await site.metadata.commit({
        op: 'remove-grant', spaceId, grantId: id,
        actor: { user: anna.user, device: '', at: site.now, lockTokens: [] },
      });
    }
    assert.deepEqual(await site.has(ben), ['ben added /own']);
  });

  it('is told of each share from its own beginning', async () => {
    const site = new Site();
    for (const name of ['one', 'two']) await site.folder(anna, name);
    site.tick();
    await site.grant(anna, 'one', 'ben', 'viewer');
    site.tick();
    for (const name of ['one', 'two']) await site.write(anna, `${name}/early`);
    site.tick();
    await site.grant(anna, 'two', 'ben', 'viewer');
    site.tick();
    await site.write(anna, 'two/late');
    assert.deepEqual(await site.has(ben), ['anna added /two/late', 'anna added /one/early']);
  });

  it('can be asked of one folder, of conflict copies, and not by a link', async () => {
    const site = new Site();
    for (const name of ['one', 'two']) await site.folder(anna, name);
    await site.write(anna, 'one/plan.txt');
    await site.write(anna, 'two/plan.txt');
    await site.write(anna, 'two/plan (conflicted copy 2026-11-21 101500).txt');
    await site.write(anna, 'two/old (conflicted copy 2026-11-20 101500).txt');
    await site.remove(anna, 'two/old (conflicted copy 2026-11-20 101500).txt');
    await site.remove(anna, 'one/plan.txt');
    const settled = 'two/settled (conflicted copy 2026-11-19 101500).txt';
    await site.write(anna, 'two/settled.txt');
    await site.move(anna, 'two/settled.txt', settled);
    await site.move(anna, settled, 'two/settled.txt');
    const { node: { spaceId, id: nodeId } } = await site.files.get(anna, pathOf('one'));
    assert.deepEqual(await site.has(anna, { below: { spaceId, nodeId } }), [
      'anna deleted /one/plan.txt gone', 'anna added /one/plan.txt gone', 'anna added /one',
    ]);
    assert.deepEqual(await site.has(ben, { below: { spaceId, nodeId } }), []);
    assert.deepEqual(await site.has(anna, { onlyConflictCopies: true }), [
      'anna added /two/plan (conflicted copy 2026-11-21 101500).txt',
    ]);
    const granted = await site.grant(anna, 'one', 'ben', 'viewer');
    assert.ok(granted.grant !== undefined);
    const visitor = linkCaller(granted.grant, {}, anna);
    await assert.rejects(site.feed.page(visitor, { limit: 10 }), failsWith('denied'));
  });

  it('costs as much at the end of a long past as at its beginning', async () => {
    let statements = 0;
    const counted = new Proxy<MetadataStore>(new MemoryMetadataStore(), {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          statements += 1;
          return Reflect.apply(value, target, given) as unknown;
        };
      },
    });
    const site = new Site({ metadata: counted });
    const count = 2 * ACTIVITY_LOOKED_MAX;
    for (let n = 0; n < count; n += 1) await site.folder(anna, `f${n}`);
    const costs: number[] = [];
    let from: ActivityWanted['from'];
    let told = 0;
    do {
      statements = 0;
      const page = await site.feed.page(anna, { limit: 100, from });
      costs.push(statements);
      told += page.acts.length;
      from = page.next;
    } while (from !== undefined);
    assert.equal(told, count);
    assert.ok(Math.max(...costs) <= 8, costs.join(' '));
    const { acts, next } = await site.feed.page(anna, { limit: 10, onlyConflictCopies: true });
    assert.equal(acts.length, 0);
    assert.ok(next !== undefined, 'a page looks at so many events and no more');
  });
});

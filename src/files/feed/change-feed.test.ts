import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { HoldfastError } from '../../base/errors.ts';
import type { Role } from '../../base/roles.ts';
import type { Caller } from '../../identity/index.ts';
import type { GrantRecord, MetadataStore, NodeRecord } from '../../metadata/index.ts';
import { Follower, listTree } from '../testing/feed-follower.ts';
import type { Known } from '../testing/feed-follower.ts';
import { ShareSite, anna, ben, callerNamed, pathOf } from '../testing/share-site.ts';
import { ChangeFeed } from './change-feed.ts';

const MINUTE_MS = 60_000;
const USERS = ['anna', 'ben', 'carl'] as const;
const ROLES: readonly Role[] = ['none', 'viewer', 'uploader', 'editor', 'owner'];

function feedOn(site: ShareSite): ChangeFeed {
  const { metadata, spaces } = site;
  return new ChangeFeed({ metadata, spaces, now: () => site.now, installation: 'here' });
}

/** The same store; `before` is told the name of each method before it is called. */
function watched(
  metadata: MetadataStore, before: (name: string) => Promise<void> | void,
): MetadataStore {
  return new Proxy(metadata, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      const isRead = name === 'listEvents' || name === 'findChains';
      return (...args: unknown[]): unknown => {
        if (!isRead) return value.apply(target, args) as unknown;
        return Promise.resolve(before(String(name)))
          .then(() => value.apply(target, args) as unknown);
      };
    },
  });
}

/** All that can happen, by numbers that choose. */
const STEP = fc.record({
  what: fc.constantFrom(
    'write', 'write', 'folder', 'folder', 'move', 'move', 'move', 'delete', 'restore', 'copy',
    'grant', 'grant', 'grant', 'grant', 'revoke', 'tick', 'group', 'away', 'purge', 'touch',
    'take', 'take', 'take', 'check',
  ),
  who: fc.nat(2), a: fc.nat(1_000), b: fc.nat(1_000), c: fc.nat(1_000),
});
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

/** One tape of random work by three people, each of whom is followed. */
class Tape {
  readonly site = new ShareSite();
  readonly feed = feedOn(this.site);
  readonly followers = USERS.map(() => new Follower(this.feed, this.site.files));
  #crew: string[] = [];
  #groupsRev = 0;
  #names = 0;

  caller(who: number): Caller {
    const user = USERS[who] ?? 'anna';
    const isMember = this.#crew.includes(user);
    return callerNamed(user, isMember ? ['crew'] : [], this.#groupsRev);
  }

  async do(step: Step): Promise<void> {
    try {
      await this.#do(step);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
    }
    this.site.now += 1;
  }

  async #do(step: Step): Promise<void> {
    const { what, who, a, b, c } = step;
    const { site } = this;
    const caller = this.caller(who);
    switch (what) {
      case 'write': {
        const names = await this.#nodes(caller, 'folder');
        await site.write(caller, `${pick(names, a)}/f${b % 4}`, String(c));
        break;
      }
      case 'folder': {
        const names = await this.#nodes(caller, 'folder');
        await site.folder(caller, `${pick(names, a)}/d${b % 3}`);
        break;
      }
      case 'move': case 'copy': await this.#place(what, caller, step); break;
      case 'delete': {
        const path = pick(await this.#nodes(caller), a);
        if (!(await this.#hasMounts(caller, path))) await site.files.remove(caller, pathOf(path));
        break;
      }
      case 'touch': {
        const path = pick(await this.#nodes(caller), a);
        await site.files.setTimes(caller, pathOf(path), { modifiedAt: b });
        break;
      }
      case 'grant': await this.#grant(caller, step); break;
      case 'check': await this.check(who); break;
      case 'take': await this.followers[who]?.take(caller, 1 + (a % 4)); break;
      default: await this.#rare(step);
    }
  }

  async #rare({ what, who, a, b, c }: Step): Promise<void> {
    const { site } = this;
    const { metadata } = site;
    const caller = this.caller(who);
    const { id: spaceId } = await site.spaces.personalSpace(caller);
    const actor = { user: caller.user, device: '', at: site.now, lockTokens: [] };
    switch (what) {
      case 'restore': {
        const entry = pick(await metadata.listTrash(spaceId, 100), a);
        if (entry === undefined) break;
        const { nodeId, deletedRev } = entry;
        const into = pick(await this.#nodes(caller, 'folder'), b);
        const folder = await site.files.get(caller, pathOf(into));
        this.#names += 1;
        await metadata.commit({
          op: 'restore', spaceId, nodeId, deletedRev, toParentId: folder.node.id,
          toName: pathOf(`r${this.#names}`)[0] as never, actor,
        });
        break;
      }
      case 'revoke': {
        const grant: GrantRecord | undefined = pick([...await metadata.listGrants(spaceId)], a);
        if (grant !== undefined) await site.revoke({ grant } as never, caller);
        break;
      }
      case 'tick': site.now += (1 + (a % 3)) * MINUTE_MS; break;
      case 'group': {
        const user = USERS[who] ?? 'ben';
        const isMember = this.#crew.includes(user);
        this.#crew = isMember ? this.#crew.filter((each) => each !== user) : [...this.#crew, user];
        this.#groupsRev += 1;
        for (const each of USERS) site.groups.set(each, this.#crew.includes(each) ? ['crew'] : []);
        break;
      }
      case 'away': {
        const user = USERS[1 + (b % 2)] ?? 'ben';
        if (!site.away.delete(user)) site.away.add(user);
        break;
      }
      case 'purge': {
        if (c % 2 !== 0) break;
        const { rev } = await metadata.getSpace(spaceId);
        const floorRev = Math.max(0, rev - (b % 5));
        await metadata.commit({
          op: 'purge-slice', spaceId, floorRev, trashToRev: 0, rowsMax: 1_000,
        });
        break;
      }
      default: assert.fail(what);
    }
  }

  async #place(what: 'move' | 'copy', caller: Caller, { a, b, c }: Step): Promise<void> {
    const from = pick(await this.#nodes(caller), a);
    const folder = pick(await this.#nodes(caller, 'folder'), b);
    this.#names += 1;
    const name = c % 3 === 0 ? `m${this.#names}` : (from.split('/').at(-1) ?? 'x');
    const to = pathOf(`${folder}/${name}`);
    const options = { replace: c % 2 === 0 };
    if (what === 'move') await this.site.files.move(caller, pathOf(from), to, options);
    else await this.site.files.copy(caller, pathOf(from), to, { ...options, depth: 'infinity' });
  }

  async #grant(caller: Caller, { a, b, c }: Step): Promise<void> {
    const path = pick(await this.#nodes(caller), a);
    const whom = b % 4 === 3 ? { kind: 'group' as const, id: 'crew' } : USERS[b % 3] ?? 'ben';
    const role = ROLES[c % ROLES.length] ?? 'viewer';
    const options = {
      isShown: role !== 'none' && b % 5 !== 0,
      ...(c % 4 === 0 && { expiresAt: this.site.now + MINUTE_MS }),
    };
    const { access } = await this.site.files.get(caller, pathOf(path));
    if (access.share) await this.site.grant(caller, path, whom, role, options);
  }

  /** Paths of all that somebody sees, the root (if it is wanted) first. */
  async #nodes(caller: Caller, kind?: 'folder'): Promise<string[]> {
    const paths: string[] = kind === undefined ? [] : [''];
    const visit = async (path: string): Promise<void> => {
      const { pages } = await this.site.files.list(caller, pathOf(path));
      for (const entry of (await Array.fromAsync(pages)).flat() as NodeRecord[]) {
        const own = `${path}/${entry.name}`;
        if (kind === undefined || entry.kind === kind) paths.push(own);
        if (entry.kind === 'folder') await visit(own);
      }
    };
    await visit('');
    return paths.length === 0 ? ['nothing'] : paths;
  }

  /** A folder that comes back with a mount in it may be there twice then: see ADR 0030. */
  async #hasMounts(caller: Caller, path: string): Promise<boolean> {
    const { node } = await this.site.files.get(caller, pathOf(path));
    if (node.sight?.isShared === true) return false;
    const { mounts } = await this.site.metadata.listMounts(node.spaceId);
    return mounts.some(({ above }) => above.includes(node.id));
  }

  /** The copy of whoever followed to the end is what that one sees. */
  async check(who: number): Promise<void> {
    const follower = this.followers[who] ?? assert.fail();
    const caller = this.caller(who);
    for (let pages = 0; await follower.take(caller, 3); pages += 1) assert.ok(pages < 1_000);
    assert.deepEqual(sorted(follower.nodes), sorted(await this.seen(caller)));
    const quiet = follower.nodes.size;
    assert.equal(await follower.take(caller, 3), false);
    assert.equal(follower.nodes.size, quiet);
  }

  async seen(caller: Caller): Promise<Map<string, Known>> {
    const { files } = this.site;
    const { node } = await files.get(caller, []);
    const key = String(node.id);
    const tree = await listTree(files, caller, [], { key, prefix: '' });
    const root = { parentKey: undefined, name: '', kind: 'folder', role: 'owner', mark: 0 };
    return new Map<string, Known>([[key, root], ...tree]);
  }
}

function pick<T>(from: readonly T[], number: number): T {
  return from[number % from.length] as T;
}

function sorted(nodes: ReadonlyMap<string, Known>): [string, Known][] {
  return [...nodes].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const TO_MEET = [
  'first', 'reset', 'page', 'more', 'removed', 'added file', 'added folder', 'added folder whole',
  'changed file', 'changed folder', 'changed folder whole', 'moved file', 'moved folder',
  'moved folder whole',
];
const BATCH = 30;
const BATCHES_MAX = 100;

describe('The feed of a caller', () => {
  it('brings a copy to what the caller sees, whatever people do and permit', async () => {
    const met = new Set<string>();
    const run = async (steps: readonly Step[]): Promise<void> => {
      const tape = new Tape();
      for (const step of steps) await tape.do(step);
      for (const who of USERS.keys()) await tape.check(who);
      for (const follower of tape.followers) for (const each of follower.met) met.add(each);
      await tape.site.metadata.close();
    };
    const tapes = fc.asyncProperty(fc.array(STEP, { minLength: 20, maxLength: 60 }), run);
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      await fc.assert(tapes, { numRuns: BATCH });
      if (TO_MEET.every((each) => met.has(each))) break;
    }
    assert.deepEqual(TO_MEET.filter((each) => !met.has(each)), []);
  });

  it('tells the top of what is shut and opened, and nothing of what lies beside a share',
    async () => {
      const site = new ShareSite();
      const feed = feedOn(site);
      for (const path of ['work', 'work/plans', 'work/plans/deep', 'home']) {
        await site.folder(anna, path);
      }
      await site.write(anna, 'work/plans/deep/secret');
      await site.grant(anna, 'work', 'ben', 'viewer');
      let cursor: string | undefined;
      const told = async (): Promise<string[]> => {
        const page = await feed.changesSince(ben, cursor);
        ({ cursor } = page);
        if (page.isReset) return ['reset'];
        return page.changes.map(({ kind, path, isWhole }) =>
          `${kind} ${path?.join('/')}${isWhole ? ' whole' : ''}`);
      };
      assert.deepEqual(await told(), ['reset']);
      await site.write(anna, 'home/diary');
      await site.files.remove(anna, pathOf('home/diary'));
      assert.deepEqual(await told(), []);
      const shut = await site.grant(anna, 'work/plans', 'ben', 'none', { isShown: false });
      assert.deepEqual(await told(), ['removed work/plans whole']);
      await site.write(anna, 'work/plans/more');
      await site.folder(anna, 'work/plans/deep/er');
      assert.deepEqual(await told(), []);
      await site.revoke(shut, anna);
      assert.deepEqual(await told(), ['added work/plans whole']);
      const shutAgain = await site.grant(anna, 'work/plans', 'ben', 'none', { isShown: false });
      await site.files.move(anna, pathOf('work/plans'), pathOf('work/hush'), { replace: false });
      assert.deepEqual(await told(), ['removed undefined whole'], 'not its new name');
      await site.files.move(anna, pathOf('work/hush'), pathOf('work/plans'), { replace: false });
      await site.folder(anna, 'work/odd');
      assert.deepEqual(await told(), ['added work/odd']);
      await site.grant(anna, 'work/odd', 'ben', 'none', { isShown: false });
      assert.deepEqual(await told(), ['removed work/odd whole']);
      await site.files.move(anna, pathOf('work/odd'), pathOf('work/secret'), { replace: false });
      await site.files.remove(anna, pathOf('work/secret'));
      assert.deepEqual(await told(), []);
      await site.revoke(shutAgain, anna);
      assert.deepEqual(await told(), ['added work/plans whole']);
      await site.files.move(anna, pathOf('work/plans'), pathOf('work/p'), { replace: false });
      assert.deepEqual(await told(), ['moved work/p']);
      await site.files.move(anna, pathOf('work/p'), pathOf('home/p'), { replace: false });
      assert.deepEqual(await told(), ['removed work/p whole']);
      await site.write(anna, 'home/p/aside');
      assert.deepEqual(await told(), []);
      await site.files.move(anna, pathOf('home/p'), pathOf('work/p'), { replace: false });
      assert.deepEqual(await told(), ['moved work/p whole']);
      await site.grant(anna, 'work', 'ben', 'editor');
      assert.deepEqual(await told(), ['changed work whole']);
      site.away.add('anna');
      assert.deepEqual(await told(), ['removed undefined whole']);
      site.away.delete('anna');
      assert.deepEqual(await told(), ['added work whole']);
      await site.grant(anna, 'work', 'carl', 'viewer');
      assert.deepEqual(await told(), [], 'what others are given is not ours to know');
    });

  it('tells what time and groups change, though nobody did anything', async () => {
    const site = new ShareSite();
    const feed = feedOn(site);
    for (const path of ['work', 'work/plans']) await site.folder(anna, path);
    const end = { expiresAt: site.now + MINUTE_MS };
    await site.grant(anna, 'work', 'ben', 'viewer');
    await site.grant(anna, 'work/plans', 'ben', 'none', { isShown: false, ...end });
    let { cursor } = await feed.changesSince(ben, undefined);
    const told = async (caller: Caller): Promise<string[]> => {
      const page = await feed.changesSince(caller, cursor);
      ({ cursor } = page);
      const changes = page.isReset ? [] : page.changes;
      return changes.map(({ kind, path, isWhole }) =>
        `${kind} ${path?.join('/')}${isWhole ? ' whole' : ''}`);
    };
    assert.deepEqual(await told(ben), []);
    site.now += 2 * MINUTE_MS;
    assert.deepEqual(await told(ben), ['added work/plans whole']);
    const crew = { kind: 'group' as const, id: 'crew' };
    await site.grant(anna, 'work/plans', crew, 'none', { isShown: false });
    assert.deepEqual(await told(ben), []);
    const member = callerNamed('ben', ['crew'], 1);
    assert.deepEqual(await told(member), ['changed work whole']);
    assert.deepEqual(await told(member), []);
  });

  it('tells a folder as a whole that was out of sight between two pages', async () => {
    const site = new ShareSite();
    for (const path of ['home', 'work', 'work/a', 'work/p', 'work/p/n']) {
      await site.folder(anna, path);
    }
    await site.write(anna, 'work/p/n/file');
    await site.grant(anna, 'work', 'ben', 'viewer');
    const follower = new Follower(feedOn(site), site.files);
    await follower.take(ben, 10);
    const move = (from: string, to: string): Promise<unknown> =>
      site.files.move(anna, pathOf(from), pathOf(to), { replace: false });
    await move('work/p/n', 'work/a/n');
    await move('work/a', 'home/a');
    assert.equal(await follower.take(ben, 1), true);
    const names = (): string[] => [...follower.nodes.values()].map(({ name }) => name).sort();
    assert.deepEqual(names(), ['', 'a', 'p', 'work'], 'it is known already that it went');
    await move('home/a', 'work/a');
    while (await follower.take(ben, 10));
    assert.deepEqual(names(), ['', 'a', 'file', 'n', 'p', 'work']);
    await move('work/a', 'work/b');
    follower.met.clear();
    await follower.take(ben, 10);
    assert.deepEqual([...follower.met], ['page', 'moved folder'], 'it need not be listed again');
  });

  it('begins anew where the journal is not the one that was followed', async () => {
    const make = async (names: string[]): Promise<ChangeFeed> => {
      const site = new ShareSite();
      for (const name of names) {
        site.now += 1;
        await site.write(anna, name);
      }
      return feedOn(site);
    };
    const before = await make(['a', 'b', 'c']);
    const { cursor } = await before.changesSince(anna, undefined);
    const isReset = async (feed: ChangeFeed): Promise<boolean> =>
      (await feed.changesSince(anna, cursor)).isReset;
    assert.equal(await isReset(before), false);
    assert.equal(await isReset(await make(['a', 'b'])), true, 'a cursor from the future');
    assert.equal(await isReset(await make(['a', 'b', 'c', 'd'])), false, 'the same, gone on');
    const other = new ShareSite();
    for (const name of ['a', 'b', 'b', 'c', 'd']) await other.write(anna, name);
    assert.equal(await isReset(feedOn(other)), true, 'the same number is another event');
    const { metadata, spaces } = other;
    const there = new ChangeFeed({ metadata, spaces, now: () => other.now, installation: 'there' });
    assert.equal(await isReset(there), true);
  });

  it('asks as much for many changes as for one', async () => {
    const site = new ShareSite();
    let asked = 0;
    const metadata = new Proxy(site.metadata, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          asked += 1;
          return value.apply(target, args) as unknown;
        };
      },
    });
    const { spaces } = site;
    const feed = new ChangeFeed({
      metadata, spaces, now: () => site.now, installation: 'here',
    });
    await site.folder(anna, 'work');
    await site.grant(anna, 'work', 'ben', 'viewer');
    let { cursor } = await feed.changesSince(ben, undefined);
    const costs = async (files: number): Promise<number> => {
      for (let file = 0; file < files; file += 1) {
        await site.write(anna, `work/${file}`, `${files}`);
      }
      asked = 0;
      const page = await feed.changesSince(ben, cursor);
      ({ cursor } = page);
      assert.equal(page.isReset ? 0 : page.changes.length, files);
      return asked;
    };
    await costs(1); // From now on it is known where the own mount lies.
    const one = await costs(1);
    assert.equal(await costs(60), one);
  });

  it('reads once for all who see the same change', async () => {
    const site = new ShareSite();
    const asked: string[] = [];
    const feed = new ChangeFeed({
      metadata: watched(site.metadata, (name) => {
        asked.push(name);
      }),
      spaces: site.spaces, now: () => site.now, installation: 'here',
    });
    const carl = callerNamed('carl');
    await site.folder(anna, 'work');
    for (const user of ['ben', 'carl']) await site.grant(anna, 'work', user, 'viewer');
    const cursors = [];
    for (const caller of [ben, carl]) {
      let { cursor } = await feed.changesSince(caller, undefined);
      ({ cursor } = await feed.changesSince(caller, cursor));
      cursors.push(cursor);
    }
    await site.write(anna, 'work/a', 'a');
    const reads = async (caller: Caller, cursor: string | undefined): Promise<string[]> => {
      asked.length = 0;
      const page = await feed.changesSince(caller, cursor);
      assert.deepEqual(page.isReset ? [] : page.changes.map(({ kind }) => kind), ['added']);
      return asked.filter((name) => name === 'listEvents' || name === 'findChains');
    };
    assert.deepEqual(await reads(ben, cursors[0]), ['listEvents', 'findChains', 'findChains']);
    assert.deepEqual(await reads(carl, cursors[1]), ['findChains'], 'where the own mount lies');
  });

  it('reads anew what has changed since somebody else has read it', async () => {
    const site = new ShareSite();
    let between: (() => Promise<void>) | undefined;
    const feed = new ChangeFeed({
      metadata: watched(site.metadata, async (name) => {
        const act = name === 'listEvents' ? between : undefined;
        between = act === undefined ? between : undefined;
        await act?.();
      }),
      spaces: site.spaces, now: () => site.now, installation: 'here',
    });
    const carl = callerNamed('carl');
    await site.folder(anna, 'work');
    for (const user of ['ben', 'carl']) await site.grant(anna, 'work', user, 'viewer');
    const ofBen = await feed.changesSince(ben, undefined);
    const ofCarl = await feed.changesSince(carl, undefined);
    await site.write(anna, 'work/first', 'a');
    await feed.changesSince(carl, ofCarl.cursor, 400);
    // After Ben has looked where the journal stands, and before he reads it.
    between = () => site.files.remove(anna, pathOf('work/first'));
    const page = await feed.changesSince(ben, ofBen.cursor, 300);
    assert.equal(between, undefined);
    const kinds = page.isReset ? [] : page.changes.map(({ kind }) => kind);
    assert.ok(!kinds.includes('added') && !kinds.includes('changed'), kinds.join(' '));
    const next = await feed.changesSince(ben, page.cursor);
    assert.deepEqual(next.isReset ? [] : next.changes, []);
  });
});

import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import type { SpaceId } from '../../../../base/ids.ts';
import { ManualClock } from '../../../../platform/index.ts';
import type { Answer } from '../../../../platform/mariadb/index.ts';
import type { Step } from '../line/line-messages.ts';
import { GatheredPaths } from './gathered-paths.ts';

const SPACE = 7 as SpaceId;
const FILE = 0;
const FOLDER = 1;

/** The nodes of one space, and who asks for them. */
class Tree {
  readonly asked: string[] = [];
  readonly paths = new GatheredPaths((_, step) => this.#answer(step), new ManualClock(0));
  readonly #nodes = new Map([['0/', { id: 1, kind: FOLDER }]]);
  #held: Promise<unknown> = Promise.resolve();

  put(parentId: number, name: string, node: { id: number; kind: number }): void {
    this.#nodes.set(`${parentId}/${name}`, node);
  }

  remove(parentId: number, name: string): void {
    this.#nodes.delete(`${parentId}/${name}`);
  }

  /** Answers wait until the promise is settled. */
  hold(until: Promise<unknown>): void {
    this.#held = until;
  }

  async #answer({ values: [text] }: Step): Promise<Answer> {
    this.asked.push(String(text));
    await this.#held;
    const places = JSON.parse(String(text)) as [number, number, string][];
    const rows = places.flatMap(([spaceId, parentId, canon]) => {
      const node = this.#nodes.get(`${parentId}/${canon}`);
      if (node === undefined) return [];
      const figures = node.kind === FOLDER ? [1, 0, 0] : [null, null, null];
      return [[node.id, parentId, canon, canon, node.kind, 0, 0, 0, 1, 1, '', ...figures,
        null, null, spaceId]];
    });
    return { rows, changes: 0, insertId: 0 };
  }

  /** Ids along the path, as they are found together with others. */
  async find(path: string): Promise<number[] | undefined> {
    const found = await this.paths.find({ spaceId: SPACE, canons: path.split('/') });
    return found?.map(({ id }) => id);
  }

  /** As if somebody had followed the path from the root. */
  follow(path: string): void {
    let parentId = 0;
    const canons = path.split('/');
    const chain = ['', ...canons].map((canon) => {
      const { id, kind } = this.#nodes.get(`${parentId}/${canon}`) ?? assert.fail(canon);
      parentId = id;
      return { id, kind: kind === FOLDER ? 'folder' : 'file' };
    });
    this.paths.note({ spaceId: SPACE, canons }, chain as never);
  }
}

function treeWithFolders(): Tree {
  const tree = new Tree();
  tree.put(1, 'a', { id: 2, kind: FOLDER });
  tree.put(2, 'b', { id: 3, kind: FOLDER });
  tree.put(3, 'x', { id: 4, kind: FILE });
  return tree;
}

describe('Paths that are followed together', () => {
  it('are asked for with one statement, each place once', async () => {
    const tree = treeWithFolders();
    tree.follow('a/b');
    const found = await Promise.all([tree.find('a/b/x'), tree.find('a/b/new'), tree.find('a')]);
    assert.deepEqual(found, [[1, 2, 3, 4], [1, 2, 3], [1, 2]]);
    assert.deepEqual(tree.asked,
      ['[[7,0,""],[7,1,"a"],[7,2,"b"],[7,3,"x"],[7,3,"new"]]']);
  });

  it('are not guessed at before somebody has followed them', async () => {
    const tree = treeWithFolders();
    assert.equal(await tree.find('a/b/x'), undefined);
    tree.follow('a');
    assert.equal(await tree.find('a/b/x'), undefined);
    assert.deepEqual(tree.asked, []);
  });

  it('are nobody\'s answer where a folder is another one than before', async () => {
    const tree = treeWithFolders();
    tree.follow('a/b/x');
    tree.put(1, 'a', { id: 20, kind: FOLDER }); // The old one may be anywhere.
    assert.equal(await tree.find('a/b/x'), undefined);
    assert.deepEqual(await tree.find('a'), [1, 20]);
  });

  it('end where there is nothing, and at what is no folder', async () => {
    const tree = treeWithFolders();
    tree.follow('a/b/x');
    tree.put(1, 'a', { id: 2, kind: FILE });
    assert.deepEqual(await tree.find('a/b/x'), [1, 2]);
    tree.remove(1, 'a');
    assert.deepEqual(await tree.find('a/b/x'), [1]);
    tree.remove(0, '');
    assert.equal(await tree.find('a/b/x'), undefined);
  });

  it('wait for those that are under way, and are asked for after them', async () => {
    const tree = treeWithFolders();
    tree.follow('a/b');
    const gate = Promise.withResolvers<undefined>();
    tree.hold(gate.promise);
    const first = tree.find('a/b/x');
    while (tree.asked.length === 0) await new Promise(setImmediate);
    const others = [tree.find('a/b/x'), tree.find('a/b/y'), tree.find('a/b/z')];
    tree.put(3, 'y', { id: 5, kind: FILE });
    gate.resolve(undefined);
    assert.deepEqual(await first, [1, 2, 3, 4]);
    assert.deepEqual(await Promise.all(others), [[1, 2, 3, 4], [1, 2, 3, 5], [1, 2, 3]]);
    assert.equal(tree.asked.length, 2);
  });
});

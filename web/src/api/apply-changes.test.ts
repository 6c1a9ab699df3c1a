import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it, mock } from 'node:test';
import { QueryObserver } from '@tanstack/react-query';
import { ASK_AFTER_MS, applyChanges } from './apply-changes.ts';
import { listingKey } from './listings.ts';
import type { ListingData } from './listings.ts';
import type { LiveChange, LiveNode } from './live.ts';
import { queryClient } from './query-client.ts';
import type { FileNode } from './shapes.ts';

const MAY = { read: true, write: true, create: true, delete: true, rename: true, share: true };
const BY_NAME = { field: 'name', order: 'asc' } as const;
const KEY = listingKey('1', BY_NAME);

function node(id: string, name: string, more: Partial<FileNode> = {}): FileNode {
  return {
    id, name, spaceId: '1', path: `/${name}`, kind: 'file', sizeBytes: 1, etag: `"${id}"`,
    modifiedAt: '2026-11-21T10:00:00.000Z', may: MAY, isMount: false, isShared: false,
    isFavorite: false, parentId: '1', ...more,
  };
}

function list(items: FileNode[], nextCursor?: string): void {
  const folder = node('1', '', { kind: 'folder', path: '/' });
  const page = { folder, items, ...(nextCursor !== undefined && { nextCursor }) };
  queryClient.setQueryData<ListingData>(KEY, { pages: [page], pageParams: [undefined] });
}

function names(): string[] {
  const data = queryClient.getQueryData<ListingData>(KEY);
  return data?.pages.flatMap(({ items }) => items.map(({ name }) => name)) ?? [];
}

function change(kind: LiveChange['kind'], one: LiveNode, parentKey = '1'): LiveChange {
  return { kind, key: one.id, parentKey, node: one, path: one.path, isWhole: false };
}

describe('Changes of others', () => {
  before(() => mock.timers.enable({ apis: ['setTimeout'] }));
  beforeEach(() => queryClient.clear());
  after(() => mock.timers.reset());

  it('come into the list where they belong, change there, and go from it', () => {
    list([node('2', 'b'), node('3', 'd')]);
    applyChanges([
      change('added', node('4', 'c')), change('added', node('5', 'e')),
      change('changed', node('2', 'a')),
      { kind: 'removed', key: '3', isWhole: true },
    ]);
    assert.deepEqual(names(), ['a', 'c', 'e']);
    applyChanges([change('moved', node('4', 'c', { parentId: '9', path: '/x/c' }), '9')]);
    assert.deepEqual(names(), ['a', 'e']);
  });

  it('come once, however often they are told, and the last word counts', () => {
    list([]);
    applyChanges([change('added', node('2', 'a')), change('added', node('2', 'a'))]);
    applyChanges([change('added', node('2', 'b'))]);
    assert.deepEqual(names(), ['b']);
    applyChanges([
      change('changed', node('2', 'c')), { kind: 'removed', key: '2', isWhole: true },
    ]);
    assert.deepEqual(names(), []);
  });

  it('leave what is not loaded yet to the next page', () => {
    list([node('2', 'b'), node('3', 'm')], 'more');
    applyChanges([change('added', node('4', 'c')), change('added', node('5', 'z'))]);
    assert.deepEqual(names(), ['b', 'c', 'm']);
  });

  it('are found below what somebody shares by the end of their keys', () => {
    list([node('2', 'b')]);
    applyChanges([{ ...change('added', node('4', 'c')), key: '9/4', parentKey: '9/1' }]);
    assert.deepEqual(names(), ['b', 'c']);
  });

  it('leave the mark of what the caller shares', () => {
    list([node('2', 'b', { isShared: true })]);
    applyChanges([change('changed', node('2', 'b'))]);
    const [first] = queryClient.getQueryData<ListingData>(KEY)?.pages[0]?.items ?? [];
    assert.equal(first?.isShared, true);
  });

  it('lets a list come that is on its way, and has it asked for once more', async () => {
    const answers: ((names: string[]) => void)[] = [];
    const observer = new QueryObserver<ListingData>(queryClient, {
      queryKey: KEY,
      queryFn: () => new Promise((resolve) => {
        answers.push((found) => {
          list(found.map((name, at) => node(String(at + 2), name)));
          resolve(queryClient.getQueryData<ListingData>(KEY) ?? assert.fail('no list'));
        });
      }),
    });
    const unsubscribe = observer.subscribe(() => undefined);
    const come = async (found: string[]): Promise<void> => {
      answers.shift()?.(found);
      for (let n = 0; n < 20; n += 1) await Promise.resolve();
    };
    for (let n = 0; n < 3; n += 1) {
      applyChanges([change('added', node('9', 'new'))]);
      mock.timers.tick(ASK_AFTER_MS);
    }
    assert.equal(answers.length, 1, 'nothing is asked for while it is on its way');
    await come(['older']);
    mock.timers.tick(ASK_AFTER_MS);
    await come(['older', 'new']);
    assert.deepEqual(names(), ['older', 'new']);
    mock.timers.tick(10 * ASK_AFTER_MS);
    assert.equal(answers.length, 0);
    unsubscribe();
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { bodyOf } from '../body.ts';
import { anna, ben, failsWith, pathOf, ShareSite } from '../testing/share-site.ts';
import { sha256OfFolder } from './folder-digest.ts';
import type { DigestMember } from './folder-digest.ts';
import { FolderVerify } from './folder-verify.ts';

const FORMAT = new URL('../../../docs/formats/folder-digest.md', import.meta.url);
const root = mkdtempSync(join(tmpdir(), 'holdfast-digest-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** The program that stands on the page of the format, as somebody else would run it. */
function byThePage(folder: string): string {
  const program = /```python\n([\s\S]*?)```/.exec(readFileSync(FORMAT, 'utf8'))?.[1];
  assert.ok(program, 'the page holds a program');
  return execFileSync('python3', ['-c', program, folder], { encoding: 'utf8' }).trim();
}

const file = (name: string, sha256 = 'a'.repeat(64), sizeBytes = 1): DigestMember => (
  { name, kind: 'file', sha256, sizeBytes });

describe('the digest of a folder', () => {
  it('differs for whatever differs, and not for the order in which members come', () => {
    const folder = { ...file('c', 'b'.repeat(64), 0), kind: 'folder' as const };
    const members = [file('a'), file('b'), folder];
    const digest = sha256OfFolder(members);
    fc.assert(fc.property(fc.shuffledSubarray(members, { minLength: 3 }), (other) => {
      assert.equal(sha256OfFolder(other), digest);
    }));
    const others: DigestMember[][] = [
      [], members.slice(1), [...members, file('d')], [file('a:'), ...members.slice(1)],
      [file('a', 'b'.repeat(64)), ...members.slice(1)],
      [file('a', undefined, 2), ...members.slice(1)],
      [{ ...file('a'), kind: 'folder' }, ...members.slice(1)],
      [file(`a\nfile ${'a'.repeat(64)} 1 1:b`), ...members.slice(2)],
    ];
    const all = new Set([digest, ...others.map(sha256OfFolder)]);
    assert.equal(all.size, others.length + 1);
  });

  it('takes both spellings of a name for the same', () => {
    assert.equal(sha256OfFolder([file('é')]), sha256OfFolder([file('e\u0301')]));
  });
});

describe('verifying a folder', () => {
  let site: ShareSite;
  let verify: FolderVerify;
  beforeEach(() => {
    site = new ShareSite();
    verify = new FolderVerify(site);
  });

  const TREE: Record<string, string> = {
    'a.txt': 'first', 'none': '', 'sub/größe.txt': 'umlauts', 'sub/deep/B': 'x'.repeat(70_000),
    'sub.txt': 'sorts before what is in sub', 'line\nbreak': 'odd',
  };

  async function fill(): Promise<string> {
    const folder = mkdtempSync(join(root, 'copy-'));
    for (const path of ['work', 'work/sub', 'work/sub/deep', 'work/empty']) {
      await site.folder(anna, path);
      mkdirSync(join(folder, path));
    }
    for (const [path, text] of Object.entries(TREE)) {
      await site.write(anna, `work/${path}`, text);
      writeFileSync(join(folder, 'work', path), text);
    }
    return join(folder, 'work');
  }

  it('counts, and answers the digest that the page of the format computes of a copy', async () => {
    const copy = await fill();
    const { digest, ...counts } = await verify.verify(anna, pathOf('work'));
    assert.deepEqual(counts, {
      files: 6, folders: 3,
      sizeBytes: Object.values(TREE).reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    });
    assert.equal(digest, byThePage(copy));
    writeFileSync(join(copy, 'sub/deep/B'), 'y'.repeat(70_000));
    assert.notEqual(digest, byThePage(copy));
  });

  it('notices each change, and comes back with what comes back', async () => {
    await fill();
    const of = async () => (await verify.verify(anna, pathOf('work'))).digest;
    const first = await of();
    await site.write(anna, 'work/a.txt', 'other');
    assert.notEqual(await of(), first);
    await site.write(anna, 'work/a.txt', 'first');
    assert.equal(await of(), first);
    await site.files.move(anna, pathOf('work/empty'), pathOf('work/sub/empty'), { replace: false });
    assert.notEqual(await of(), first);
  });

  it('uses a hash that is known of the same content, unless every byte is to be read', async () => {
    await fill();
    const checksum = {
      algorithm: 'SHA256', hex: '8bd25e9e4d9d6d3e8c4aa6d2ddb8d5f8d0f7a3c1d7c9fd3a2b5a90b8b0d4a3f1',
    } as const;
    const before = await verify.verify(anna, pathOf('work'));
    const { node } = await site.files.get(anna, pathOf('work/a.txt'));
    const { spaceId, id: nodeId, contentRev } = node;
    const checksums = `${checksum.algorithm}:${checksum.hex}`; // A wrong one, to see it being used.
    await site.metadata.commit({ op: 'set-checksums', spaceId, nodeId, contentRev, checksums });
    assert.notDeepEqual(await verify.verify(anna, pathOf('work')), before);
    assert.deepEqual(await verify.verify(anna, pathOf('work'), { readsAll: true }), before);
  });

  it('is of what the caller sees, and of folders only', async () => {
    await fill();
    await site.grant(anna, 'work', 'ben', 'viewer');
    const whole = await verify.verify(anna, pathOf('work'));
    assert.deepEqual(await verify.verify(ben, pathOf('work')), whole);
    await site.grant(anna, 'work/sub', 'ben', 'none');
    assert.equal((await verify.verify(ben, pathOf('work'))).files, 4);
    assert.deepEqual(await verify.verify(anna, pathOf('work')), whole);
    await assert.rejects(verify.verify(anna, pathOf('work/a.txt')), failsWith('conflict'));
    await assert.rejects(verify.verify(ben, pathOf('other')), failsWith('not-found'));
  });

  it('says nothing at all when one file cannot be read', async () => {
    await site.folder(anna, 'work');
    await site.files.upload(anna, pathOf('work/a'), bodyOf(Buffer.from('one')));
    const broken = new FolderVerify({
      files: Object.assign(Object.create(site.files) as typeof site.files, {
        get: site.files.get.bind(site.files), list: site.files.list.bind(site.files),
        openNode: async () => {
          throw new Error('broken');
        },
      }),
    });
    await assert.rejects(broken.verify(anna, pathOf('work')), /broken/);
  });
});

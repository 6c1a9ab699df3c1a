import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { Config } from '../platform/index.ts';
import { backendSlice } from '../storage/index.ts';
import type { BackendSettings } from '../storage/index.ts';
import { BlockPlaces } from './block-place.ts';

const base = await mkdtemp(join(tmpdir(), 'holdfast-places-'));
after(() => rm(base, { recursive: true }));
let count = 0;

function settings(backend: string, bucket = 'files'): BackendSettings {
  const env: Record<string, string> = backend === 'local' ? {} : {
    HOLDFAST_STORAGE_BACKEND: backend, HOLDFAST_STORAGE_S3_BUCKET: bucket,
    HOLDFAST_STORAGE_S3_ACCESS_KEY_ID: 'id', HOLDFAST_STORAGE_S3_SECRET_ACCESS_KEY: 'hush',
  };
  return Config.load({ slices: [backendSlice], env }).of(backendSlice);
}

describe('BlockPlaces', () => {
  let root: string;
  let note: string;
  beforeEach(async () => {
    root = join(base, String(count++));
    note = join(root, 'block-backend.json');
    await mkdir(root);
  });

  const refused = async (wanted: BackendSettings, isNew: boolean, code: string): Promise<void> => {
    const before = await readFile(note, 'utf8').catch(() => undefined);
    const open = BlockPlaces.open(root, wanted, isNew);
    await assert.rejects(open, (error) => error instanceof HoldfastError && error.code === code);
    assert.equal(await readFile(note, 'utf8').catch(() => undefined), before);
  };
  const founded = async (): Promise<void> => {
    const places = await BlockPlaces.open(root, settings('s3'), true);
    await places.noteBlocks({ place: 's3 default files/', founded: true });
  };

  it('remembers a place over a restart, and no secret', async () => {
    await founded();
    const places = await BlockPlaces.open(root, settings('s3'), false);
    assert.deepEqual(places.blocks, { place: 's3 default files/', founded: true });
    assert.ok(!(await readFile(note, 'utf8')).includes('hush'));
  });

  it('refuses another bucket, and local volumes, once a place is noted', async () => {
    await founded();
    await refused(settings('s3', 'others'), false, 'backend-changed');
    await refused(settings('local'), false, 'backend-changed');
    await refused(settings('local'), true, 'backend-changed');
  });

  it('refuses an object store where files lie in local volumes, or may', async () => {
    await refused(settings('s3'), false, 'backend-changed');
    await mkdir(join(root, 'volumes'));
    await BlockPlaces.open(root, settings('s3'), true);
    await writeFile(join(root, 'volumes', 'v00000001.1.hv'), 'a volume');
    await refused(settings('s3'), true, 'backend-changed');
  });

  it('writes nothing for local volumes alone', async () => {
    const places = await BlockPlaces.open(root, settings('local'), true);
    await places.noteMirror(undefined);
    await assert.rejects(readFile(note));
  });

  it('knows a mirror by its place, and forgets it when it is gone', async () => {
    let places = await BlockPlaces.open(root, settings('local'), false);
    await places.noteMirror({ place: 'local /mnt/a', founded: true });
    places = await BlockPlaces.open(root, settings('local'), false);
    assert.equal(places.mirror('local /mnt/a')?.founded, true);
    assert.equal(places.mirror('local /mnt/b'), undefined);
    await places.noteMirror(undefined);
    places = await BlockPlaces.open(root, settings('local'), false);
    assert.equal(places.mirror('local /mnt/a'), undefined);
  });

  it('says after a move where the blocks are, and forgets that mirror', async () => {
    let places = await BlockPlaces.open(root, settings('local'), false);
    const place = 's3 default files/';
    await places.noteMirror({ place, founded: true });
    await places.noteMoved({ place, founded: true, storeId: 'ours-mirror' });
    await refused(settings('local'), false, 'backend-changed');
    places = await BlockPlaces.open(root, settings('s3'), false);
    assert.deepEqual(places.blocks, { place, founded: true, storeId: 'ours-mirror' });
    assert.equal(places.mirror(place), undefined);
    await places.noteBlocks({ ...places.blocks, place, founded: true });
    assert.equal(places.blocks?.storeId, 'ours-mirror', 'a start forgets nothing');
    await places.noteMirror({ place: 's3 default others/', founded: true });
    await places.noteMoved(undefined);
    places = await BlockPlaces.open(root, settings('local'), false);
    assert.equal(places.blocks, undefined);
    assert.equal(places.mirror('s3 default others/')?.founded, true);
  });

  it('refuses a note that is damaged or newer, and leaves it', async () => {
    await founded();
    const right = await readFile(note, 'utf8');
    await writeFile(note, right.replace('"version": 1', '"version": 2'));
    await refused(settings('s3'), false, 'newer-format');
    for (const wrong of ['', '{}', '[]', right.slice(0, 40), right.replace('true', '"yes"')]) {
      await writeFile(note, wrong);
      await refused(settings('s3'), false, 'backend-note-damaged');
    }
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ManualClock } from '../../../platform/clock.ts';
import { testBlockStore } from '../../block-store.conformance.ts';
import { LocalVolumeStore } from './local-volume-store.ts';

const base = await mkdtemp(join(tmpdir(), 'holdfast-volumes-'));
after(() => rm(base, { recursive: true }));
let count = 0;

testBlockStore('LocalVolumeStore', () => {
  const root = join(base, String(count++), 'volumes');
  const clock = new ManualClock(1_700_000_000_000);
  return LocalVolumeStore.open({ root, witness: [], clock, onFinding: () => undefined });
});

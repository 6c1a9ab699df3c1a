import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ManualClock } from '../../../clock.ts';
import { testLeases } from '../../leases.conformance.ts';
import { SqliteLeases } from './sqlite-leases.ts';

const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

testLeases('SqliteLeases', async () => {
  const clock = new ManualClock(1_000_000);
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-leases-'));
  folders.push(folder);
  const open = (): SqliteLeases => SqliteLeases.open(join(folder, 'leases.db'), clock);
  return { leases: open(), again: async () => open(), pass: (ms) => clock.advance(ms) };
});

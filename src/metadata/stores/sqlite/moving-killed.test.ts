import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testKilledMoves } from '../../move/testing/killed-moves.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
after(() => rmSync(folder, { recursive: true, force: true }));

testKilledMoves('A move between two files', {
  folder, away: async () => '',
  openAway: () =>
    SqliteMetadataStore.open({ file: join(folder, '1.db'), create: false, shard: 1 }),
  // Each of them, and of the way back what differs. Between a file and a server: all of both.
  failpoints: ['plan', 'copy', 'tail', 'compare', 'freeze', 'frozen', 'drained', 'verified', 'flip',
    'flipped', 'unfreeze', 'unfrozen', 'reverse', 'frozen', 'flipped', 'unfrozen', 'clean'],
});

/** Accounts that are carried away while a command opens them. */
import { it } from 'node:test';
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findDataDirectory, systemClock } from '../platform/index.ts';
import type { DatabaseSettings } from '../platform/index.ts';
import { openIdentityAlone } from './stores.ts';

it('accounts in a file that counts no more once it can be had are not opened', async () => {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-late-'));
  try {
    await (await openIdentityAlone(root, { clock: systemClock, create: true })).close();
    const { instanceId: installation } = await findDataDirectory(root);
    const note = {
      format: 'holdfast-database', version: 1, kind: 'mariadb', installation,
      url: 'mariadb://holdfast@db/holdfast',
    };
    const database: DatabaseSettings = {
      // Looked at when no note was found, and before the file is opened.
      get url() {
        writeFileSync(join(root, 'database.json'), JSON.stringify(note));
        return undefined;
      },
      passwordPath: undefined, tlsCaPath: undefined, isUnencrypted: false, accountsAgeMs: 0,
      returnAfterMs: 60_000,
      schemaUser: undefined, schemaPasswordPath: undefined,
    };
    await assert.rejects(openIdentityAlone(root, { clock: systemClock, create: false, database }),
      { code: 'database-changed' });
  } finally {
    await rm(root, { recursive: true });
  }
});

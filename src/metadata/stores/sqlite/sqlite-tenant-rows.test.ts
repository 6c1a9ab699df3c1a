import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testTenantRows } from '../../move/tenant-rows.conformance.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
after(() => rmSync(folder, { recursive: true, force: true }));

testTenantRows('SqliteMetadataStore', () =>
  SqliteMetadataStore.open({ file: join(folder, 'rows.db'), create: true }));

/** What callers see of what is shared, now and looking back, on the store that servers use. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testBrakeModel } from '../../src/files/brake/brake.conformance.ts';
import { testSharedPast } from '../../src/files/time/shared-past.conformance.ts';
import { testViews } from '../../src/files/view/views.conformance.ts';
import {
  SqliteMetadataStore,
} from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';

const root = mkdtempSync(join(tmpdir(), 'holdfast-views-'));
after(() => rmSync(root, { recursive: true, force: true }));

const openEmpty = async () => SqliteMetadataStore.open({
  file: join(mkdtempSync(join(root, 'data-')), 'metadata.db'), create: true,
});
testViews('SqliteMetadataStore', openEmpty);
testSharedPast('SqliteMetadataStore', openEmpty);
testBrakeModel('SqliteMetadataStore', openEmpty, { numRuns: 4, isThorough: false });

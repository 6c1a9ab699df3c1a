/** Opens the metadata database that its only argument names, and is killed before the migration of
 *  it is committed. */
import { SqliteMetadataStore }
  from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { armFailpoint } from '../../src/platform/index.ts';

const [file = ''] = process.argv.slice(2);
armFailpoint('metadata.before-migrated');
await SqliteMetadataStore.open({ file, create: false });

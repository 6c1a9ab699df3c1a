/** Opens the metadata or the identity database, as its first argument says, that the second one
 *  names, and is killed before the migration of it is committed. */
import { SqliteIdentityStore }
  from '../../src/identity/stores/sqlite/sqlite-identity-store.ts';
import { SqliteMetadataStore }
  from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { armFailpoint } from '../../src/platform/index.ts';

const [which = '', file = ''] = process.argv.slice(2);
armFailpoint(`${which}.before-migrated`);
if (which === 'identity') await SqliteIdentityStore.open({ file, create: false });
else await SqliteMetadataStore.open({ file, create: false });

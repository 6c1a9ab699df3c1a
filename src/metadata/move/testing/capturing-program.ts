/** Begins and ends to note the changes of a tenant in the database whose address the first argument
 *  is, as JSON. The second names the failpoint at which it stands still. Prints `over`. */
import { parseTenantId } from '../../../base/ids.ts';
import { armFailpoint } from '../../../platform/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { MariadbMetadataStore } from '../../stores/mariadb/mariadb-metadata-store.ts';

const [address = '', failpoint = ''] = process.argv.slice(2);
const store = await MariadbMetadataStore.open({
  address: JSON.parse(address) as ServerAddress, create: false,
});
armFailpoint(`metadata.${failpoint}:stop`);
const tenant = parseTenantId('early');
await store.tenantRows.beginCapture(tenant);
await store.tenantRows.endCapture(tenant);
await store.close();
process.stdout.write('over\n');

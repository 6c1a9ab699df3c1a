/** One cluster for all: the last leaves it in any state when it fails. The others have databases of
 *  their own, and whatever the last finds there changes nothing for it. */
import { testBeatenOnGalera } from './galera-beaten.ts';
import { testIdentityOnGalera } from './galera-identity.ts';
import { clusterForTests, testGalera, testReturnOnGalera } from './galera-scenario.ts';
import { testSchemaOnGalera } from './galera-schema.ts';

const cluster = clusterForTests('patient');
testIdentityOnGalera(cluster);
testSchemaOnGalera(cluster);
testBeatenOnGalera(cluster);
testReturnOnGalera(cluster);
testGalera(cluster);

/** One cluster for both: the second leaves it in any state when it fails, so it comes last. The
 *  first has a database of its own, and whatever it finds there changes nothing for the second. */
import { testIdentityOnGalera } from './galera-identity.ts';
import { clusterForTests, testGalera } from './galera-scenario.ts';

const cluster = clusterForTests('patient');
testIdentityOnGalera(cluster);
testGalera(cluster);

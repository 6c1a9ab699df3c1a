/** `npm run proof:galera`: what `npm test` tries of a Galera cluster, and that the longest time
 *  without an acknowledged change is 3 s. Times need a machine with nothing else to do. */
import { clusterForTests, testGalera } from './galera-scenario.ts';

testGalera(clusterForTests('tuned'), { gapMaxMs: 3_000 });

/** `npm run proof:galera`: what `npm test` tries of a Galera cluster, and that the longest time
 *  without an acknowledged change is 3 s. Times need a machine with nothing else to do. */
import { testGalera } from './galera-scenario.ts';

testGalera({ gapMaxMs: 3_000 });

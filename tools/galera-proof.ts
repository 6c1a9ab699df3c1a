/** `npm run proof:galera`: three real nodes that are killed and stopped while callers write. Apart
 *  from `npm test`: what it holds is times, and those need a machine with nothing else to do. */
import '../src/metadata/stores/mariadb/testing/galera-proof.ts';

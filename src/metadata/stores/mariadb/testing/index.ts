/** The door for tests that work a store on MariaDB hard from outside. */
export { Hand, refused } from '../../../conformance/hand.ts';
export { assertConsistent } from '../../../conformance/replay.ts';
export { MariadbMetadataStore } from '../mariadb-metadata-store.ts';
export { AcknowledgedLoad } from './acknowledged-load.ts';

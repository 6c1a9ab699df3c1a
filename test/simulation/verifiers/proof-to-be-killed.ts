/** Proves the verifiers on MariaDB, with all faults, until somebody kills it. */
import { onMariadb } from '../../../src/app/canary-places.ts';
import { proveVerifiers } from '../../../src/durability/index.ts';
import { systemClock } from '../../../src/platform/index.ts';
import type { ServerAddress } from '../../../src/platform/mariadb/index.ts';
import { BACKENDS } from './backends.ts';

const [address = '', installation = '', directory = ''] = process.argv.slice(2);
const metadata = await onMariadb({
  name: 'first', address: JSON.parse(address) as ServerAddress, installation, clock: systemClock,
});
await proveVerifiers({
  directory, backends: { ...BACKENDS, metadata }, signal: new AbortController().signal,
});

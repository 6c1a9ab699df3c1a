import { testMetadataStore } from '../../metadata-store.conformance.ts';
import { SHARD_NUMBER_MAX } from '../../shard-number.ts';
import { MemoryMetadataStore } from './memory-metadata-store.ts';

testMetadataStore('MemoryMetadataStore', async () => new MemoryMetadataStore());
testMetadataStore('MemoryMetadataStore of shard 4,095', async () =>
  new MemoryMetadataStore({ shard: SHARD_NUMBER_MAX }));

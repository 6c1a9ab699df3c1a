import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import { testTransfers } from './transfer.conformance.ts';

testTransfers('MemoryMetadataStore', async () => new MemoryMetadataStore());

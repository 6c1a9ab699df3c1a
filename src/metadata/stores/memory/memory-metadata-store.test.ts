import { testMetadataStore } from '../../metadata-store.conformance.ts';
import { MemoryMetadataStore } from './memory-metadata-store.ts';

testMetadataStore('MemoryMetadataStore', async () => new MemoryMetadataStore());

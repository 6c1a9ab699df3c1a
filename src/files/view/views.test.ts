import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import { testViews } from './views.conformance.ts';

testViews('MemoryMetadataStore', async () => new MemoryMetadataStore());

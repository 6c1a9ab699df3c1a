import {
  MemoryMetadataStore,
} from '../../metadata/stores/memory/memory-metadata-store.ts';
import { testSharedPast } from './shared-past.conformance.ts';

testSharedPast('MemoryMetadataStore', async () => new MemoryMetadataStore());

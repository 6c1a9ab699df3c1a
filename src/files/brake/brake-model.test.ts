import { MemoryMetadataStore } from '../../metadata/stores/memory/memory-metadata-store.ts';
import { testBrakeModel } from './brake.conformance.ts';

testBrakeModel('memory', async () => new MemoryMetadataStore(), { numRuns: 60, isThorough: true });

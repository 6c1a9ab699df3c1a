import { testShardDirectory } from '../../shard-directory.conformance.ts';
import { MemoryShardDirectory } from './memory-directory.ts';

testShardDirectory('MemoryShardDirectory', async () => new MemoryShardDirectory());

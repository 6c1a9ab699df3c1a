import { testSchemaBook } from '../../schema-book.conformance.ts';
import { testSchemaTarget } from '../../schema-target.conformance.ts';
import { memoryFixture } from '../../testing/memory-fixture.ts';
import { MemorySchemaBook } from './memory-schema-book.ts';

testSchemaTarget('MemorySchemaTarget', async () => memoryFixture('shard-1'));
testSchemaBook('MemorySchemaBook', async () => new MemorySchemaBook());

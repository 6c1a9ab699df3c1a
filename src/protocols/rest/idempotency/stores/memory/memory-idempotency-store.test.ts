import { testIdempotencyStore } from '../../idempotency-store.conformance.ts';
import { MemoryIdempotencyStore } from './memory-idempotency-store.ts';

testIdempotencyStore('MemoryIdempotencyStore', async () => new MemoryIdempotencyStore());

import { testIdentityStore } from '../../identity-store.conformance.ts';
import { MemoryIdentityData, MemoryIdentityStore } from './memory-identity-store.ts';

testIdentityStore('MemoryIdentityStore', async () => {
  const data = new MemoryIdentityData();
  return { store: new MemoryIdentityStore(data), other: new MemoryIdentityStore(data) };
});

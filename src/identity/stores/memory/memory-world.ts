/** For tests: two instances of Identity on the same memory, and what tests of them share. */
import assert from 'node:assert/strict';
import { HoldfastError, type ErrorKind } from '../../../base/errors.ts';
import { parseUserId } from '../../../base/ids.ts';
import { ManualClock } from '../../../platform/index.ts';
import type { IdentityConfig } from '../../config.ts';
import { Identity } from '../../identity.ts';
import type { IdentityStore } from '../../identity-store.ts';
import { MemoryIdentityData, MemoryIdentityStore } from './memory-identity-store.ts';

export const ALICE = parseUserId('alice');
export const BOB = parseUserId('bob');
export const PASSWORD = 'correct horse';
export const HOME = '192.0.2.1';
export const AWAY = '198.51.100.1';
/** A real hash, as cheap as argon2 allows. */
export const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 };

export interface World {
  clock: ManualClock;
  data: MemoryIdentityData;
  /** The server. */
  identity: Identity;
  /** Another process on the same data. */
  elsewhere: Identity;
}

/** Two instances on the same data, with the user alice. */
export async function openWorld(config: Partial<IdentityConfig> = {}): Promise<World> {
  const clock = new ManualClock(1_700_000_000_000);
  const data = new MemoryIdentityData();
  const open = (): Promise<Identity> => openOn(new MemoryIdentityStore(data), clock, config);
  const world = { clock, data, identity: await open(), elsewhere: await open() };
  await world.identity.users.add({ id: ALICE, password: PASSWORD, displayName: 'Alice A.' });
  return world;
}

export function openOn(
  store: IdentityStore, clock: ManualClock, config: Partial<IdentityConfig> = {},
): Promise<Identity> {
  return Identity.open({ store, clock, config: { hashCost: CHEAP, ...config } });
}

export async function refuses(promise: Promise<unknown>, kind: ErrorKind): Promise<HoldfastError> {
  let caught: unknown;
  await assert.rejects(promise, (error) => {
    caught = error;
    return true;
  });
  assert.ok(caught instanceof HoldfastError, String(caught));
  assert.equal(caught.kind, kind, caught.message);
  return caught;
}

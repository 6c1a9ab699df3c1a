/**
 * The verifier fault matrix: every kind of fault, planted in a canary written by the real stores,
 * is found by exactly the verifiers that must find it, and a sound store raises no alarm.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { proveVerifiers } from '../../../src/durability/index.ts';
import { BACKENDS } from './backends.ts';

it('each planted fault is found by exactly the right verifiers, and no other is', async () => {
  const root = await mkdtemp(join(tmpdir(), 'holdfast-prove-'));
  try {
    const { signal } = new AbortController();
    const directory = join(root, 'canary');
    const { lines } = await proveVerifiers({ directory, backends: BACKENDS, signal });
    const wrong = lines.filter(({ complaints }) => complaints.length > 0);
    assert.deepEqual(wrong, []);
    assert.ok(lines.length > 30, `the matrix has ${lines.length} rows`);
  } finally {
    await rm(root, { recursive: true });
  }
});

/** The promises of MoveJournal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTenantId } from '../../base/ids.ts';
import type { TenantId } from '../../base/ids.ts';
import { COPY_START } from './move-record.ts';
import type { MoveJournal, MoveRecord } from './move-record.ts';

export interface OpenedJournal {
  readonly journal: MoveJournal;
  /** As a later process finds it. */
  readonly again: () => Promise<MoveJournal>;
}

export function moveOf(tenant: TenantId): MoveRecord {
  return {
    tenant, from: 0, to: 1, epoch: 3, state: 'plan', isPaused: false, wish: 'none',
    cursor: COPY_START, rowsCopied: 0, rowsFollowed: 0, rowsCompared: 0, isClaimed: true,
    freezeMs: undefined, freezeFailures: 0, begunAt: 1_000, reverseUntil: undefined,
    trouble: undefined,
  };
}

const known = (records: readonly MoveRecord[]): unknown => JSON.parse(JSON.stringify(
  records.toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1))));

export function testMoveJournal(name: string, open: () => Promise<OpenedJournal>): void {
  describe(`${name} keeps the promises of MoveJournal`, () => {
    it('has one record for each tenant, the last, for whoever comes later', async () => {
      const { journal, again } = await open();
      const [acme, byte] = ['acme', 'byte'].map((tenant) => moveOf(parseTenantId(tenant)));
      assert.ok(acme !== undefined && byte !== undefined);
      assert.deepEqual(await journal.list(), []);
      const cursor = { ...COPY_START, table: 2, key: ['Ωmega "x"', 7] };
      const later: MoveRecord = { ...acme, state: 'copy', cursor, trouble: 'The disk is full.' };
      for (const record of [acme, byte, later, later]) await journal.put(record);
      const next = await again();
      assert.deepEqual(known(await next.list()), known([later, byte]));
      await next.put({ ...byte, state: 'done' });
      assert.deepEqual(known(await (await again()).list()),
        known([later, { ...byte, state: 'done' }]));
    });
  });
}

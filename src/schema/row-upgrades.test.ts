import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import { upgradeRow } from './row-upgrades.ts';
import type { RowUpgrades } from './row-upgrades.ts';

const ROWS: RowUpgrades = {
  table: 'person', key: ['id'], versionColumn: 'form', columns: ['name', 'initial', 'length'],
  upgrades: [
    (row) => ({ ...row, initial: String(row['name']).slice(0, 1) }),
    (row) => ({ ...row, length: String(row['initial'] ?? '').length }),
  ],
};

describe('Rows of several forms', () => {
  it('become the present form by as many steps as they lack', () => {
    const oldest = upgradeRow(ROWS, { id: 1, name: 'anna', form: 0 });
    assert.deepEqual(oldest, { id: 1, name: 'anna', initial: 'a', length: 1, form: 2 });
    const middle = upgradeRow(ROWS, { id: 1, name: 'anna', initial: 'xy', form: 1 });
    assert.deepEqual(middle, { id: 1, name: 'anna', initial: 'xy', length: 2, form: 2 });
    assert.deepEqual(upgradeRow(ROWS, middle), middle);
  });

  it('are refused when a newer program wrote them', () => {
    assert.throws(() => upgradeRow(ROWS, { id: 1, form: 3 }), (error) => isKind(error, 'invalid'));
  });
});

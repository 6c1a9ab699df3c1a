/** What the guard says no with. It throws nothing else. */
import { HoldfastError } from '../../base/errors.ts';

export class SqlRefusal extends HoldfastError {
  /** Which rule it broke: a short word of a fixed set. */
  readonly rule: string;
  readonly reason: string;

  constructor(rule: string, reason: string, name = 'a statement') {
    super('internal', 'platform/sql.guard', `The statement guard refuses ${name}: ${reason}.`, {
      code: 'statement-refused', facts: { rule },
    });
    this.rule = rule;
    this.reason = reason;
  }
}

/** Of a statement that ran. @throws SqlRefusal: whoever has its transaction undoes it. */
export function checkRows(name: string, changes: number, rowsMax: number): void {
  if (changes > rowsMax) throw tooManyRows(name, changes, rowsMax);
}

/** It ran, and is undone by whoever had its transaction. */
export function tooManyRows(name: string, changes: number, rowsMax: number): SqlRefusal {
  return new SqlRefusal('rows', `it has affected ${changes} rows, ${rowsMax} at most were `
    + 'expected, and its transaction was undone', name);
}

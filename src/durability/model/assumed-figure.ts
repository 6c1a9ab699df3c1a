import { HoldfastError } from '../../base/errors.ts';
import { ASSUMPTION_NAMES } from './assumptions-table.ts';
import type { AssumptionName, Figure } from './assumptions-table.ts';

/** A figure as an operator writes it: `diskLossesPerYear=0.05`. Units as in the report's JSON.
 *  @throws invalid: no such figure, or no number. */
export function parseAssumption(text: string): readonly [AssumptionName, Figure] {
  const [, given = '', amount = ''] = /^([A-Za-z]+)=([0-9.]+(?:e-?[0-9]+)?)$/.exec(text) ?? [];
  const name = ASSUMPTION_NAMES.find((known) => known === given);
  const value = Number(amount);
  if (name !== undefined && amount !== '' && Number.isFinite(value)) {
    return [name, { value, origin: 'given' }];
  }
  const names = ASSUMPTION_NAMES.join(', ');
  const message = `Write an assumption as name=number. The names are: ${names}.`;
  throw new HoldfastError('invalid', 'durability/parseAssumption', message);
}

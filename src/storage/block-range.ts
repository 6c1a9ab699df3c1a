import { HoldfastError } from '../base/errors.ts';

export interface BlockRange {
  offsetBytes: number;
  lengthBytes: number;
}

/** @throws invalid: the range is empty or not inside a block of `sizeBytes`. */
export function checkRange(op: string, sizeBytes: number, range: BlockRange): void {
  const { offsetBytes, lengthBytes } = range;
  const whole = Number.isSafeInteger(offsetBytes) && Number.isSafeInteger(lengthBytes);
  const inside = offsetBytes >= 0 && lengthBytes > 0 && offsetBytes + lengthBytes <= sizeBytes;
  if (whole && inside) return;
  const facts = { sizeBytes, offsetBytes, lengthBytes };
  throw new HoldfastError('invalid', op, 'This range is not inside the block.', { facts });
}

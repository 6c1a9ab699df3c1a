import { readFileSync } from 'node:fs';
import { KeyRing } from '../../../sealing/key-ring.ts';
import { decodeRing } from '../../../sealing/ring-format.ts';

const GOLDEN = new URL('../../../../../test/fixtures/key-ring/keys.json', import.meta.url);
export const GOLDEN_MASTER: Buffer = Buffer.alloc(32, 'golden');

/** The ring with which golden volumes were encrypted. */
export function goldenRing(): KeyRing {
  const content = decodeRing(readFileSync(GOLDEN));
  if (typeof content === 'string') throw new Error('the golden key ring is damaged');
  return KeyRing.unlock(content, GOLDEN_MASTER);
}

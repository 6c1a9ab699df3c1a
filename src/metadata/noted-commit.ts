/** What a commit says of itself to whoever watches the work that it is part of. */
import { HoldfastError } from '../base/errors.ts';
import { Effects } from '../platform/index.ts';
import type { Change, ChangeResult } from './changes.ts';

/** Nobody but the quota sees these. */
const UNSEEN: ReadonlySet<Change['op']> = new Set(['reserve-quota', 'drop-reservation', 'recount']);

const UNCLEAR: ReadonlySet<string> = new Set(['unavailable', 'corrupt', 'internal']);

/** Of a change that was made. */
export function noteMade({ op }: Change, result: ChangeResult): ChangeResult {
  if (result.rev > 0 && !UNSEEN.has(op)) Effects.note();
  return result;
}

/** Answers as `made`. A change of a space is noted, and so is one that may or may not have been
 *  made; refusals are not, nor what belongs to no space, such as the parts of an upload. */
export async function noted(
  change: Change, made: Promise<ChangeResult>,
): Promise<ChangeResult> {
  try {
    return noteMade(change, await made);
  } catch (error) {
    const isUnclear = !(error instanceof HoldfastError) || UNCLEAR.has(error.kind);
    if (isUnclear && !UNSEEN.has(change.op)) Effects.note();
    throw error;
  }
}

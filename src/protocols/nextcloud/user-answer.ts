import type { QuotaState } from '../../files/index.ts';
import type { Caller } from '../../identity/index.ts';
import type { OcsValue } from './ocs-envelope.ts';

/** How clients write "no limit". */
const UNLIMITED = -3;

/** The signed-in user as clients want to know them. Names stand there twice, in the spellings of
 *  two generations of clients. */
export function userAnswer(
  caller: Caller, { quota, email = '' }: { quota: QuotaState; email: string | undefined },
): OcsValue {
  return {
    id: caller.user,
    enabled: true,
    'display-name': caller.displayName,
    displayname: caller.displayName,
    email,
    language: 'en',
    groups: caller.groups,
    quota: quotaAnswer(quota),
  };
}

/** Bytes, and the used part in percent with two places. */
function quotaAnswer({ usedBytes, quotaBytes, availableBytes }: QuotaState): OcsValue {
  if (quotaBytes === undefined || availableBytes === undefined) {
    return { free: UNLIMITED, used: usedBytes, total: UNLIMITED, relative: 0, quota: UNLIMITED };
  }
  const share = quotaBytes === 0 ? 1 : usedBytes / quotaBytes;
  return {
    free: availableBytes,
    used: usedBytes,
    total: quotaBytes,
    relative: Math.round(share * 10_000) / 100,
    quota: quotaBytes,
  };
}

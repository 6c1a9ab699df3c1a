/** What is asked for about the account, and how it is asked for again. */
import type { Account } from '../../../../src/wire/client.ts';
import { queryClient } from '../../api/query-client.ts';

export type {
  Account, MadeDevice, MadeToken, NewSecondFactor, NewToken, SecondFactor, Token,
} from '../../../../src/wire/client.ts';

export const ACCOUNT_KEY = ['account'] as const;
export const SECOND_FACTOR_KEY = ['account', 'second-factor'] as const;
export const DEVICES_KEY = ['account', 'devices'] as const;
export const SESSIONS_KEY = ['account', 'sessions'] as const;
export const TOKENS_KEY = ['account', 'tokens'] as const;

/** All of the account. */
export function reloadAccount(): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: ACCOUNT_KEY });
}

export function keepAccount(account: Account): void {
  queryClient.setQueryData(ACCOUNT_KEY, account);
}

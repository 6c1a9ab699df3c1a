/** What only somebody who has signed in as themself may do, and proofs of that. */
import { HoldfastError } from '../../base/errors.ts';
import type { Caller } from '../../identity/index.ts';

/** Else a stolen device or token could make itself ways in that outlive it. @throws denied. */
export function checkOwnSignIn({ credential }: Caller, message: string): void {
  if (credential === 'password' || credential === 'session') return;
  throw new HoldfastError('denied', 'rest/checkOwnSignIn', message, { code: 'own-password' });
}

/** Of an act for which the password, or a code, is asked again: 403 where that is wrong, not 401,
 *  which a page would take for a session that is over. @throws denied; what `act` throws. */
export async function refusingProofs<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.kind !== 'unauthenticated') throw error;
    if (error.code === 'second-factor-wrong') throw denied(error.message, error.code);
    throw denied('The password is wrong. Enter the one that you sign in here with, no app '
      + 'password.', 'password-wrong');
  }
}

function denied(message: string, code: string): HoldfastError {
  return new HoldfastError('denied', 'rest/refusingProofs', message, { code });
}

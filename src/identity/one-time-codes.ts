/**
 * Codes by time (RFC 6238), as authenticator apps show them: SHA-1, six digits, a new one every 30
 * seconds. These figures are the only ones that every app understands.
 */
import { Secret, TOTP } from 'otpauth';

const STEP_SECONDS = 30;
/** One step earlier and later is good too: clocks differ, and people type. */
const WINDOW_STEPS = 1;
const SECRET_BYTES = 20;
const CODE = /^\d{6}$/;

export interface CodeSecret {
  readonly bytes: Uint8Array;
  /** For who types it. */
  readonly base32: string;
}

export function makeCodeSecret(): CodeSecret {
  const { bytes, base32 } = new Secret({ size: SECRET_BYTES });
  return { bytes, base32 };
}

/** An otpauth: address, for a QR code. */
export function codeAddress(secret: Uint8Array, { user, host }: {
  user: string; host: string;
}): string {
  return totp(secret, { issuer: 'Holdfast', label: host === '' ? user : `${user}@${host}` })
    .toString();
}

/** What a person typed, without blanks; undefined: it cannot be such a code. */
export function canonicalCode(typed: string): string | undefined {
  const code = typed.replace(/\s/g, '');
  return CODE.test(code) ? code : undefined;
}

export function stepAt(nowMs: number): number {
  return Math.floor(nowMs / 1000 / STEP_SECONDS);
}

/** The step that the code is of; undefined: it is not right now. Takes as long, whatever it is. */
export function stepOfCode(secret: Uint8Array, code: string, nowMs: number): number | undefined {
  const delta = totp(secret).validate({ token: code, timestamp: nowMs, window: WINDOW_STEPS });
  return delta === null ? undefined : stepAt(nowMs) + delta;
}

function totp(secret: Uint8Array, names: { issuer?: string; label?: string } = {}): TOTP {
  // A buffer of its own: that of a small Buffer is shared with others.
  const { buffer } = Uint8Array.from(secret);
  return new TOTP({
    ...names, secret: new Secret({ buffer }), algorithm: 'SHA1', digits: 6, period: STEP_SECONDS,
  });
}

/** Names for people to read: of devices and of users. */
import { HoldfastError } from '../base/errors.ts';

export const DEVICE_NAME_CHARACTERS_MAX = 120;
export const DISPLAY_NAME_CHARACTERS_MAX = 120;
const UNNAMED_DEVICE = 'Unnamed device';

/** What programs say of themselves is made presentable, never refused: control characters go, and
 *  what is too long is cut. */
export function deviceName(raw: string): string {
  const shown = presentable(raw);
  return [...shown].slice(0, DEVICE_NAME_CHARACTERS_MAX).join('').trim() || UNNAMED_DEVICE;
}

/** @throws invalid: empty or too long. */
export function parseDisplayName(raw: string): string {
  const shown = presentable(raw);
  if (shown !== '' && [...shown].length <= DISPLAY_NAME_CHARACTERS_MAX) return shown;
  const message = `A display name has 1 to ${DISPLAY_NAME_CHARACTERS_MAX} characters.`;
  throw new HoldfastError('invalid', 'identity/parseDisplayName', message, {
    code: 'display-name',
  });
}

/** Control and format characters could hide or reorder what is beside them on a screen. */
function presentable(raw: string): string {
  return raw.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

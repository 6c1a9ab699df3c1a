/** Numbers and times as people read them. */

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;
const DAY = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC',
});

/** In powers of a thousand, with three digits at most. */
export function readableBytes(bytes: number): string {
  let size = bytes;
  let at = 0;
  while (size >= 999.5 && at < UNITS.length - 1) {
    size /= 1000;
    at += 1;
  }
  const digits = at === 0 || size >= 99.95 ? 0 : 1;
  if (bytes === 1) return '1 byte';
  return `${size.toFixed(digits)} ${UNITS[at] ?? ''}`;
}

/** `21 Nov 2026`, by UTC. */
export function readableDay(at: number): string {
  return DAY.format(at);
}

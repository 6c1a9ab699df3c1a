/** What a browser or an app says of itself, in words that its owner recognises. Pure. */

/** Earlier ones win: most browsers also claim to be those further down. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/\bmirall\/.*owncloud/i, 'ownCloud client'],
  [/\bmirall\//i, 'Nextcloud client'],
  [/\bNextcloud-android\//i, 'Nextcloud app'],
  [/\bNextcloud-iOS\//i, 'Nextcloud app'],
  [/\bownCloudApp\//i, 'ownCloud app'],
  [/\bEdg(?:A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|Chromium|HeadlessChrome)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\bAndroid\b/i, 'Android'],
  [/\biPhone\b/i, 'iPhone'],
  [/\biPad\b/i, 'iPad'],
  [/\biOS\b/, 'iOS'],
  [/\bWindows\b/i, 'Windows'],
  [/\bMac(?:intosh| ?OS)\b/i, 'Mac'],
  [/\bCrOS\b/, 'Chromebook'],
  [/\bLinux\b/i, 'Linux'],
];

/** Only what begins like a browser's description is shortened; programs that send a name made for
 *  people keep it. */
export function readableDevice(userAgent: string): string {
  if (!userAgent.startsWith('Mozilla/')) return userAgent;
  const program = PROGRAMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = SYSTEMS.find(([pattern]) => pattern.test(userAgent))?.[1];
  if (program === undefined) return userAgent;
  return system === undefined ? program : `${program} on ${system}`;
}

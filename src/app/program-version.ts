/** Which version of the program this is: programs that share databases tell each other. */
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

export const PROGRAM_VERSION = manifest.version;

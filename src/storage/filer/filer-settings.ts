/** What the operator can tell a filer, and a server about its filers. */
import { join } from 'node:path';
import {
  flag, formatListenAddress, listOf, optionalText, parseListenAddress, seconds, setting, slice,
  text,
} from '../../platform/index.ts';
import type { ListenAddress, ValuesOf } from '../../platform/index.ts';
import type { FilerRoot } from './filer-server.ts';

const FILER_PORT = 8421;
const DISKS_MAX = 256;
const DAY_SECONDS = 24 * 60 * 60;
/** A coordinator asks for nothing younger: see src/durability/gc. So a filer may insist on it. */
const KEEP_TRASH_DAYS = 14;

/** How long a disk keeps an emptied volume whatever it is told, unless the operator says longer. */
export const KEEP_TRASH_MS = KEEP_TRASH_DAYS * DAY_SECONDS * 1000;

export const filerSlice = slice({
  settings: {
    clusterKeyPath: setting<string | undefined>({
      key: 'cluster.key_file', default: undefined, parse: optionalText,
      docs: 'The file by which the machines of a cluster know each other; make it with '
        + '`holdfast cluster key`. Left empty: `cluster.key` in the data directory.',
    }),
    filerListen: setting<ListenAddress>({
      key: 'filer.listen', default: { host: '127.0.0.1', port: FILER_PORT },
      parse: parseListenAddress, format: formatListenAddress,
      docs: 'Where a filer (`--roles filer`) waits for the servers that store on its disks.',
    }),
    filerDisks: setting<readonly string[]>({
      key: 'filer.disks', default: [], parse: listOf(text, DISKS_MAX),
      docs: 'The folders of a filer\'s disks, one for each disk. Left empty: `disk` in the data '
        + 'directory. An empty folder becomes a new disk only with `filer.adopt_empty`.',
      format: (paths) => JSON.stringify(paths),
    }),
    filerAdoptsEmpty: setting<boolean>({
      key: 'filer.adopt_empty', default: false, parse: flag,
      docs: 'Whether an empty folder is taken as a new disk. Switch it on to add a disk, and off '
        + 'again: an empty folder may be a disk that is not mounted.',
    }),
    filerKeepTrashSeconds: setting<number>({
      key: 'filer.keep_trash', default: KEEP_TRASH_DAYS * DAY_SECONDS,
      parse: seconds({ min: KEEP_TRASH_DAYS * DAY_SECONDS, max: 3650 * DAY_SECONDS }),
      unit: 'seconds',
      docs: 'How long a filer keeps an emptied volume, whatever it is told. A filer erases nothing '
        + 'of its own accord: its server asks, after two inspections that its ledger names.',
    }),
    filerUnencrypted: setting<boolean>({
      key: 'filer.unencrypted', default: false, parse: flag,
      docs: 'Lets a filer listen beyond this machine without TLS. Both sides still prove who they '
        + 'are and nothing can be changed on the way, but who taps the network reads the files.',
    }),
    filerCaPath: setting<string | undefined>({
      key: 'filer.tls_ca', default: undefined, parse: optionalText,
      docs: 'Of a server: the authority that signed its filers\' certificates, in PEM. With it the '
        + 'server speaks TLS to them.',
    }),
  },
});

/** The disks that a filer is told to serve. One of its own, in the data directory, was ours from
 *  the beginning: no other disk can be meant. */
export function filerRoots(
  settings: ValuesOf<typeof filerSlice.settings>, dataPath: string,
): FilerRoot[] {
  const { filerDisks, filerAdoptsEmpty, filerKeepTrashSeconds } = settings;
  const eraseTrashAfterMs = filerKeepTrashSeconds * 1000;
  if (filerDisks.length === 0) {
    return [{ path: join(dataPath, 'disk'), adopt: 'if-empty', eraseTrashAfterMs }];
  }
  const adopt = filerAdoptsEmpty ? 'if-empty' as const : 'never' as const;
  return filerDisks.map((path) => ({ path, adopt, eraseTrashAfterMs }));
}

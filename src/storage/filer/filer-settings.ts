/** What the operator can tell a filer, and a server about its filers. */
import {
  flag, formatListenAddress, listOf, optionalText, parseListenAddress, setting, slice,
  text,
} from '../../platform/index.ts';
import type { ListenAddress } from '../../platform/index.ts';

const FILER_PORT = 8421;
const DISKS_MAX = 256;

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

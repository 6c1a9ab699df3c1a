/** Several web nodes on one database. */
import { optionalText } from '../config/parsers.ts';
import { SettingError, setting, slice } from '../config/setting.ts';
import type { RawValue, ValuesOf } from '../config/setting.ts';

const NAME = /^[a-z][a-z0-9-]{0,31}$/;

function nodeName(raw: RawValue): string | undefined {
  const value = optionalText(raw);
  if (value === undefined || NAME.test(value)) return value;
  throw new SettingError('begins with a lower-case letter and holds lower-case letters, digits '
    + 'and -, 32 characters at most');
}

export const clusterSlice = slice({
  settings: {
    node: setting<string | undefined>({
      key: 'cluster.node', default: undefined, parse: nodeName,
      docs: 'The name of this server among several that serve together, each on a machine or in a '
        + 'data directory of its own. All of them use one database (database.url) and one object '
        + 'store (storage.backend), and each has another name. Empty: it serves alone.',
    }),
  },
});

export type ClusterSettings = ValuesOf<typeof clusterSlice.settings>;

/** Where the database of a shard is, by its address in the directory. */
import { join } from 'node:path';
import { HoldfastError } from '../base/errors.ts';
import { isLoopback, parseDatabaseUrl } from '../platform/index.ts';
import type { DatabaseSettings } from '../platform/index.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import { addressOf } from './database-place.ts';

/** Which shards there are, in a data directory that has files. Made with the second. */
export const DIRECTORY_FILE = 'directory.db';

const OP = 'app/shards';
const FILE_SCHEME = 'sqlite:';

export type ShardAddress =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'mariadb'; readonly address: ServerAddress };

/** Reads the password from its file. @throws invalid: the address or a file of it is wrong. */
export async function shardAddress(
  root: string, { url, passwordPath }: { url: string; passwordPath: string | undefined },
  settings: DatabaseSettings | undefined,
): Promise<ShardAddress> {
  if (url.startsWith(FILE_SCHEME)) {
    return { kind: 'file', file: join(root, url.slice(FILE_SCHEME.length)) };
  }
  const parsed = parseUrl(url);
  const {
    tlsCaPath, isUnencrypted = false, schemaUser, schemaPasswordPath, returnAfterMs,
  } = settings ?? {};
  const far = parsed.hosts.find(({ host }) => !isLoopback(host));
  if (far !== undefined && tlsCaPath === undefined && !isUnencrypted) {
    throw wrong(`is on another machine (${far.host}), and the connection is not encrypted. Set `
      + 'database.tls_ca_path, or database.unencrypted = true if nobody can tap that network');
  }
  const address = await withFlag(() =>
    addressOf({
      url: parsed, passwordPath, tlsCaPath, isUnencrypted, schemaUser, schemaPasswordPath,
      ...(returnAfterMs !== undefined && { returnAfterMs }),
    }));
  return { kind: 'mariadb', address };
}

function parseUrl(url: string) {
  try {
    const parsed = parseDatabaseUrl(url);
    if (parsed !== undefined) return parsed;
  } catch (error) {
    if (error instanceof Error && !(error instanceof HoldfastError)) throw wrong(error.message);
    throw error;
  }
  throw wrong('is empty');
}

/** What is wrong with a file is said of the settings; here the flag of a command named it. */
async function withFlag<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    const message = error.message.replace('database.password_path', '--password-path');
    throw new HoldfastError(error.kind, OP, message, { code: 'shard-secret', cause: error });
  }
}

function wrong(what: string): HoldfastError {
  return new HoldfastError('invalid', OP, `The address of the shard ${what}.`,
    { code: 'shard-url' });
}

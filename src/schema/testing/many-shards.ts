/** Many shards of the fixture: files, and between them databases of a server. */
import { join } from 'node:path';
import type { ServerAddress } from '../../platform/mariadb/index.ts';
import type { SchemaShard } from '../schema-target.ts';
import { MariadbSchemaTarget } from '../stores/mariadb/mariadb-schema-target.ts';
import { SqliteSchemaTarget } from '../stores/sqlite/sqlite-schema-target.ts';

export interface ManyShards {
  readonly folder: string;
  readonly fileCount: number;
  readonly addresses: readonly ServerAddress[];
}

export function fileOf(folder: string, number: number): string {
  return join(folder, `file-${number}.db`);
}

export function manyShards({ folder, fileCount, addresses }: ManyShards): SchemaShard[] {
  const every = Math.floor(fileCount / addresses.length);
  return Array.from({ length: fileCount }, (_, at) => at).flatMap((at): SchemaShard[] => {
    const file = fileOf(folder, at);
    const ofFile: SchemaShard = {
      name: `file-${at}`, family: 'metadata', engine: 'sqlite',
      open: () => SqliteSchemaTarget.open(file),
    };
    const address = at % every === 0 ? addresses[at / every] : undefined;
    if (address === undefined) return [ofFile];
    const open = () => MariadbSchemaTarget.open(address);
    return [ofFile, { name: address.database, family: 'metadata', engine: 'mariadb', open }];
  });
}

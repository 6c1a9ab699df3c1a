/** Empty stores for one test after the other. Making tables and threads takes longer than most
 *  tests: so a store is used again, if nobody has closed it, after its tables were emptied. */
import { assert } from '../../../../base/assert.ts';
import { Session } from '../../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../../platform/mariadb/index.ts';
import { ScratchServer, inTime } from '../../../../platform/mariadb/testing/index.ts';
import { MariadbMetadataStore } from '../mariadb-metadata-store.ts';
import { TABLES } from '../schema.ts';

/** Of each step: longer than a server waits for a lock. */
const STEP_MAX_MS = 90_000;
/** Numbers are not given out twice: what is remembered of the ones before is never taken for what
 *  comes after. A store that is open learns of it as of anybody else's writing. */
const KEPT: ReadonlySet<string> = new Set(['meta', 'writer', 'writer_turn']);

export class LentStores {
  readonly #shard: number;
  #server: ScratchServer | undefined;
  #address: ServerAddress | undefined;
  #sweeper: Session | undefined;
  #store: MariadbMetadataStore | undefined;

  constructor({ shard = 0 }: { shard?: number } = {}) {
    this.#shard = shard;
  }

  /** In a database of a server that is there, or of one of its own. */
  async start(server?: ScratchServer): Promise<void> {
    this.#server = server === undefined ? await ScratchServer.start() : undefined;
    this.#address = await (server ?? this.#server)?.makeDatabase();
    this.#store = await inTime(STEP_MAX_MS, 'a store to be made', this.#open());
    assert(this.#address !== undefined, 'a database was made');
    this.#sweeper = await Session.open(this.#address, 'schema');
  }

  #open(): Promise<MariadbMetadataStore> {
    assert(this.#address !== undefined, 'the server has been started');
    return MariadbMetadataStore.open({
      address: this.#address, create: true, shard: this.#shard,
    });
  }

  /** What it lent before is empty then too. */
  async lendEmpty(): Promise<MariadbMetadataStore> {
    const sweeper = this.#sweeper;
    assert(sweeper !== undefined, 'the server has been started');
    const sweep = (sql: string) => inTime(STEP_MAX_MS, `the sweeper: ${sql}`, sweeper.run(sql));
    for (const table of Object.keys(TABLES)) {
      if (!KEPT.has(table)) await sweep(`DELETE FROM ${table}`);
    }
    await sweep('UPDATE writer_turn SET turn = turn + 1');
    await sweep('COMMIT');
    if (this.#store?.isClosed !== false) {
      this.#store = await inTime(STEP_MAX_MS, 'a store to be opened again', this.#open());
    }
    return this.#store;
  }

  async stop(): Promise<void> {
    await inTime(STEP_MAX_MS, 'a store to close', Promise.resolve(this.#store?.close()));
    await inTime(STEP_MAX_MS, 'the sweeper to end', Promise.resolve(this.#sweeper?.end()));
    await this.#server?.stop();
  }
}

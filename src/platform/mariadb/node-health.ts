/**
 * Whether a node of a Galera cluster may be worked on: it belongs to the part that has the
 * majority, and has all of its data. That it takes connections says nothing: the kernel does that
 * for a process that is stopped, and a node that was cut off refuses each statement by itself.
 */
import type { Connection } from 'mysql2/promise';
import { systemClock } from '../clock.ts';
import { statements } from '../sql/statement-registry.ts';
import { SESSION_OWNER } from './counted-statements.ts';
import { loadDriver } from './driver.ts';
import { ServerError } from './faults.ts';
import { wayTo } from './nodes.ts';
import type { NodeAddress } from './nodes.ts';

/** How long a node may take to let somebody in and say how it is. */
export const NODE_ANSWER_MAX_MS = 1_000;

const IS_CLUSTERED = statements.enter('isClustered', `SHOW GLOBAL VARIABLES
  WHERE Variable_name IN ('wsrep_on', 'wsrep_provider')`, SESSION_OWNER).text;
const STATE = statements.enter('nodeState', `SHOW GLOBAL STATUS
  WHERE Variable_name IN ('wsrep_ready', 'wsrep_cluster_status', 'wsrep_local_state')`,
SESSION_OWNER).text;
const SYNCED = '4';

type Ask = (text: string) => Promise<unknown[][]>;

function toRecord(rows: unknown[][]): ReadonlyMap<string, string> {
  return new Map(rows.map(([name, value]) => [String(name).toLowerCase(), String(value)]));
}

/** False on a server that stands alone: then nothing of this is asked. */
export async function isClustered(ask: Ask): Promise<boolean> {
  const found = toRecord(await ask(IS_CLUSTERED));
  return found.get('wsrep_on') === 'ON' && found.get('wsrep_provider') !== 'none';
}

/** @throws ServerError: it may not be worked on. */
export async function checkNode(ask: Ask): Promise<void> {
  const state = toRecord(await ask(STATE));
  const isWell = state.get('wsrep_ready') === 'ON'
    && state.get('wsrep_cluster_status') === 'Primary'
    && state.get('wsrep_local_state') === SYNCED;
  if (isWell) return;
  throw new ServerError({
    code: 'WSREP_NOT_READY', errno: 1047, isLost: true, message: 'the node is cut off, or behind',
  });
}

/** By address: several who wait for one node ask it once. */
const asked = new Map<string, Promise<boolean>>();

/** Whether the node answers within NODE_ANSWER_MAX_MS, on a connection of its own, that it may be
 *  worked on. */
export function isNodeWell(address: NodeAddress): Promise<boolean> {
  const key = JSON.stringify([address.host, address.port, address.socketPath]);
  const known = asked.get(key);
  if (known !== undefined) return known;
  const look = async (ask: Ask): Promise<true> => {
    if (await isClustered(ask)) await checkNode(ask);
    return true;
  };
  const answer = askNode(address, look).then((isWell) => isWell ?? false)
    .finally(() => asked.delete(key));
  asked.set(key, answer);
  return answer;
}

const VIEW_PARTS = ['wsrep_cluster_state_uuid', 'wsrep_cluster_conf_id'] as const;
const VIEW = statements.enter('nodeView', `SHOW GLOBAL STATUS WHERE Variable_name IN (
  'wsrep_cluster_state_uuid', 'wsrep_cluster_conf_id', 'wsrep_incoming_addresses')`,
SESSION_OWNER).text;
const IS_READ_ONLY = statements.enter('isReadOnly',
  'SELECT @@GLOBAL.read_only', SESSION_OWNER).text;
/** Waits until all that was acknowledged on any node can be read on this one. */
export const CATCH_UP = statements.enter(
  'catchUp', 'SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1', SESSION_OWNER).text;

/** Whether work may go from the node `inUse` to this one, which was left before: it may be worked
 *  on and written to, has caught up, and sees the same members of the same cluster. Of servers that
 *  form no cluster none is gone back to: what was left may be out of date for ever. The same goes
 *  for a node that was begun as a cluster of its own. */
export async function isNodeReady(address: NodeAddress, inUse: NodeAddress): Promise<boolean> {
  const [view, other] = await Promise.all([
    askNode(address, async (ask) => {
      const found = await viewOf(ask);
      const isReadOnly = Number((await ask(IS_READ_ONLY))[0]?.[0]) !== 0;
      if (found === undefined || isReadOnly) return undefined;
      await ask(CATCH_UP);
      return found;
    }),
    askNode(inUse, viewOf),
  ]);
  return view !== undefined && view === other;
}

/** As which member of which cluster, together with whom. */
async function viewOf(ask: Ask): Promise<string | undefined> {
  if (!await isClustered(ask)) return undefined;
  await checkNode(ask);
  const found = toRecord(await ask(VIEW));
  const members = (found.get('wsrep_incoming_addresses') ?? '').split(',').sort();
  return JSON.stringify([...VIEW_PARTS.map((name) => found.get(name)), members]);
}

/** What `look` finds; undefined: it does not answer in time, or not well. */
async function askNode<T>(
  address: NodeAddress, look: (ask: Ask) => Promise<T>,
): Promise<T | undefined> {
  let connection: Connection | undefined;
  const whenLate = Promise.withResolvers<undefined>();
  const forget = systemClock.after(NODE_ANSWER_MAX_MS, () => whenLate.resolve(undefined));
  const begin = async (): Promise<T | undefined> => {
    try {
      const driver = await loadDriver();
      connection = await driver.createConnection({
        ...wayTo(address), rowsAsArray: true, connectTimeout: NODE_ANSWER_MAX_MS,
      });
      connection.on('error', () => undefined);
      const open = connection;
      return await look(async (sql) => {
        const [rows] = await open.query({ sql, timeout: NODE_ANSWER_MAX_MS });
        return rows as unknown[][];
      });
    } catch (error) {
      if (error instanceof Error) return undefined;
      throw error;
    } finally {
      connection?.destroy();
    }
  };
  try {
    return await Promise.race([begin(), whenLate.promise]);
  } finally {
    forget();
    connection?.destroy();
  }
}

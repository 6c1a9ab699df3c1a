/** When everything is quiet: whether all that was acknowledged is there, once, and nothing else. */
import type { Tree } from '../support/dav-client.ts';
import { fingerprint } from '../support/dav-client.ts';
import type { Findings } from './findings.ts';
import type { Lane, PathState } from './lane.ts';
import { TENANTS } from './soak-world.ts';
import type { SoakWorld } from './soak-world.ts';

const VERSIONS_READ = 3;

interface Parts {
  readonly world: SoakWorld;
  readonly findings: Findings;
}

/** At every node. */
export async function lookAtLanes(
  { world, findings }: Parts, lanes: readonly Lane[],
): Promise<void> {
  for (const lane of lanes) {
    const { tenant } = lane.settler;
    const trees: string[] = [];
    for (const at of world.nodes.keys()) {
      const tree = await world.client(at, tenant).tree(lane.folder);
      for (const text of differences(lane, tree)) {
        findings.add(`at the end, node ${at}, ${tenant}: ${text}`);
      }
      trees.push(JSON.stringify([...tree].sort()));
      findings.count('files and folders compared at the end', tree.size);
    }
    if (new Set(trees).size > 1) findings.add(`the nodes differ in ${tenant}/${lane.folder}`);
  }
}

function differences(lane: Lane, tree: Tree): string[] {
  const said: string[] = [];
  const left = new Map(tree);
  const stateOf = (size: PathState): string | undefined => {
    if (typeof size === 'number') return fingerprint(lane.bytesOf(size));
    return size === 'folder' ? size : undefined;
  };
  for (const { what, cases } of lane.doubts) {
    const isSo = cases.some((one) => Object.entries(one).every(
      ([path, size]) => tree.get(path) === stateOf(size)));
    if (!isSo) {
      const found = Object.keys(cases[0] ?? {}).map((path) => `${path}: ${tree.get(path)}`);
      said.push(`${what} in doubt is none of ${JSON.stringify(cases)}: ${found.join()}`);
    }
    for (const one of cases) for (const path of Object.keys(one)) left.delete(path);
  }
  for (const path of lane.files.keys()) {
    if (tree.get(path) !== stateOf(lane.sizeOf(path))) {
      said.push(`${path} with ${lane.sizeOf(path)} bytes is ${tree.get(path) ?? 'missing'}`);
    }
    left.delete(path);
  }
  for (const [path] of lane.folders) {
    if (path !== lane.folder && tree.get(path) !== 'folder') said.push(`${path} is no folder`);
    left.delete(path);
  }
  for (const [path, state] of left) said.push(`nobody made ${path}: ${state}`);
  return said;
}

/** Every content that a file was given is a version of it, once. */
export async function lookAtVersions(
  { world, findings }: Parts, lanes: readonly Lane[],
): Promise<void> {
  for (const lane of lanes) {
    const { tenant } = lane.settler;
    for (const [number, [path, { sizes }]] of [...lane.files].entries()) {
      const client = world.client(number % world.nodes.length, tenant);
      const ask = async (target: string) => client.ask('GET', `/api/v1/nodes/${target}`);
      const { id } = JSON.parse(
        (await ask(`by-path?path=${encodeURIComponent(`/${path}`)}`)).text) as { id: string };
      const { items = [] } = JSON.parse((await ask(`${id}/versions`)).text) as {
        items?: { id: string; sizeBytes: number }[];
      };
      const found = items.map(({ sizeBytes }) => sizeBytes).reverse();
      findings.count('versions compared at the end', found.length);
      if (found.join() !== sizes.join()) {
        findings.add(`${tenant} ${path}: versions ${found.join()}, but given was ${sizes.join()}`);
      }
      for (const { id: version, sizeBytes } of items.slice(1, VERSIONS_READ)) {
        const { body, status } = await ask(`${id}/versions/${version}/content`);
        if (!body.equals(lane.bytesOf(sizeBytes))) {
          findings.add(`${tenant} ${path}: version of ${sizeBytes} bytes is read as ${status}`);
        }
      }
    }
  }
}

/** Tables whose rows belong to a space. */
const OF_SPACES = ['node', 'node_past', 'folder', 'version', 'event', 'trash', 'property',
  'dav_lock', 'space_past', 'batch', 'reservation', 'access_grant', 'mount'];

interface Journals extends Parts {
  readonly lanes: readonly Lane[];
  /** By tenant: lines that may be there, or not. */
  readonly slack: ReadonlyMap<string, number>;
}

/** Journals without gaps or doubles; each tenant in one database, and nothing of it elsewhere. */
export async function lookAtDatabases(parts: Journals): Promise<void> {
  const { world, findings } = parts;
  const homes: string[] = [];
  for (const shard of world.shards.keys()) {
    homes.push(...await lookAtJournals(parts, shard));
    await lookForLeftRows(parts, shard);
  }
  if (homes.sort().join() !== TENANTS.join()) {
    findings.add(`the databases have the tenants ${homes.join()}`);
  }
}

/** Answers the tenants that are there. */
async function lookAtJournals(
  { world, findings, lanes, slack }: Journals, shard: number,
): Promise<string[]> {
  const rows = await world.ask(shard, `SELECT s.tenant, s.rev, COUNT(e.rev), MIN(e.rev), MAX(e.rev)
    FROM space s LEFT JOIN event e ON e.space_id = s.id GROUP BY s.id`);
  return rows.map(([tenant, ...numbers]) => {
    const name = String(tenant);
    const [rev, count = 0, first, last] = numbers.map(Number);
    if (first !== 1 || rev !== last || count !== last) {
      findings.add(`${name} on shard ${shard}: ${count} lines from ${first} to ${last}, and the `
        + `space is at ${rev}`);
    }
    const own = lanes.filter((lane) => lane.settler.tenant === name);
    const made = own.reduce((sum, { madeCount }) => sum + madeCount, 0);
    const doubts = own.reduce((sum, lane) => sum + lane.doubts.length, 0);
    const most = made + doubts + (slack.get(name) ?? 0);
    findings.count('lines of journals counted', count);
    const said = `${name} on shard ${shard}: ${count} lines of ${made} to ${most} changes`;
    findings.say(said);
    if (count < made || count > most) findings.add(said);
    return name;
  });
}

async function lookForLeftRows({ world, findings }: Parts, shard: number): Promise<void> {
  for (const table of OF_SPACES) {
    const [[count] = []] = await world.ask(shard,
      `SELECT COUNT(*) FROM ${table} WHERE space_id NOT IN (SELECT id FROM space)`);
    if (Number(count) > 0) findings.add(`shard ${shard}: ${String(count)} rows left in ${table}`);
  }
  for (const table of ['move_capture', 'move_log']) {
    const rows = await world.ask(shard, `SELECT tenant, COUNT(*) FROM ${table} GROUP BY tenant`);
    if (rows.length > 0) findings.add(`shard ${shard}: ${table} has ${JSON.stringify(rows)}`);
  }
  const triggers = await world.ask(shard, `SELECT trigger_name FROM information_schema.triggers
    WHERE trigger_schema = DATABASE()`);
  if (triggers.length > 0) findings.add(`shard ${shard} has triggers: ${triggers.join()}`);
}

/** Of what one node at a time does: nobody who is dead holds any of it. */
export async function leasesOfTheDead({ world }: Pick<Parts, 'world'>): Promise<string[]> {
  const rows = await world.ask(0, `SELECT name, holder, until - UNIX_TIMESTAMP() * 1000
    FROM lease WHERE until > UNIX_TIMESTAMP() * 1000 AND holder NOT IN
    (SELECT name FROM cluster_node WHERE seen_at > UNIX_TIMESTAMP() * 1000 - 10000)`);
  return rows.map((row) => row.join(' '));
}

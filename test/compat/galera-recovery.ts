/** What docs/runbooks/galera-node-lost.md tells an operator to type when two of three nodes are
 *  lost, typed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GaleraNode } from '../../src/platform/mariadb/testing/index.ts';
import { eventually } from '../support/deadline.ts';
import { REPOSITORY } from '../support/server.ts';

const WAIT_MS = 120_000;

const runbook = readFileSync(join(REPOSITORY, 'docs/runbooks/galera-node-lost.md'), 'utf8');

/** What the runbook says to type. */
function stepOf(pattern: RegExp): string {
  const [found] = pattern.exec(runbook) ?? [];
  assert.ok(found !== undefined, `the runbook says ${String(pattern)}`);
  return found;
}

/** Resolves once the node knows that it has no majority. */
export async function whenAlone(survivor: GaleraNode): Promise<void> {
  const question = stepOf(/SHOW GLOBAL STATUS LIKE 'wsrep_cluster_status'/);
  await eventually(WAIT_MS, 'the survivor has no majority', async () =>
    /non-Primary/.test(await survivor.query(question)));
}

/** Declares the node that is farthest to be the cluster. Answers which one that was. */
export async function declareFarthest(
  survivor: GaleraNode, dead: readonly GaleraNode[],
): Promise<GaleraNode> {
  stepOf(/wsrep_last_committed/);
  stepOf(/--wsrep-recover/);
  let farthest = { node: survivor, number: Number(await survivor.status('wsrep_last_committed')) };
  for (const node of dead) {
    const { number } = await node.recover();
    if (number > farthest.number) farthest = { node, number };
  }
  if (farthest.node === survivor) {
    await bootstrap(survivor);
  } else {
    stepOf(/safe_to_bootstrap: 1[^]*galera_new_cluster/);
    await survivor.kill('SIGTERM');
    await farthest.node.beginCluster();
  }
  return farthest.node;
}

/** Until the node says that it is the cluster: while it makes up its mind that it is alone, it
 *  passes the word over, or answers that the argument is wrong. */
async function bootstrap(survivor: GaleraNode): Promise<void> {
  const word = stepOf(/SET GLOBAL wsrep_provider_options = 'pc\.bootstrap=YES'/);
  stepOf(/ERROR 1210/);
  await eventually(WAIT_MS, 'the survivor is the cluster', async () => {
    try {
      await survivor.query(word);
    } catch (error) {
      if (!String(error).includes('ERROR 1210')) throw error;
    }
    return await survivor.status('wsrep_cluster_status') === 'Primary';
  });
}

/** One after the other: each may ask another for what it lacks. */
export async function bringBack(nodes: readonly GaleraNode[]): Promise<void> {
  stepOf(/--wsrep-recover[^]*--wsrep-start-position/);
  for (const node of nodes) {
    await node.beginAgain();
    await node.whenSynced();
  }
}

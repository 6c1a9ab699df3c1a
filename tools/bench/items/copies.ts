/** What several copies cost: the same writes with one copy, with three, and with three filers. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Measurement } from '../measurement.ts';
import { startCluster } from '../servers/cluster.ts';
import type { ClusterOptions } from '../servers/cluster.ts';
import { UsageWatch } from '../servers/process-tree.ts';
import { rateOf } from './item.ts';
import type { Item, Subject } from './item.ts';

const CONNECTIONS = 64;
const COUNT_MAX = 200_000;

async function putOn(
  { settings, driver }: Subject, id: string, kind: Pick<ClusterOptions, 'copies' | 'onFilers'>,
): Promise<Measurement> {
  const folder = join(settings.scratchFolder, id);
  rmSync(folder, { recursive: true, force: true });
  const cluster = await startCluster({ folder, repository: settings.repository, ...kind });
  try {
    const { target } = cluster;
    await driver.run<'call'>({ kind: 'call', target, method: 'MKCOL', path: 'bench/' });
    const watch = new UsageWatch(cluster.pid);
    const result = await driver.run<'put'>({
      kind: 'put', target, folder: 'bench', salt: 1, sizeBytes: 1024,
      connectionCount: CONNECTIONS, timeLimitMs: settings.secs * 1000, countMax: COUNT_MAX,
    });
    return rateOf(result, watch.stop());
  } finally {
    await cluster.stop();
  }
}

export const COPIES_ITEMS: readonly Item[] = ([
  ['copies-1', 'PUT 1 KiB c64, one copy', { copies: 1, onFilers: false }],
  ['copies-3', 'PUT 1 KiB c64, three copies on one disk', { copies: 3, onFilers: false }],
  ['filers-3', 'PUT 1 KiB c64, three filers', { copies: 3, onFilers: true }],
] as const).map(([id, title, kind]) => ({
  id, title, group: 'copies', isHoldfastOnly: true,
  run: (subject: Subject) => putOn(subject, id, kind),
}));

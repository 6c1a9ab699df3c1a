import { parseArgs } from 'node:util';
import { SERVER_NAMES } from './servers/bench-server.ts';
import type { ServerName } from './servers/bench-server.ts';

export interface BenchOptions {
  /** Groups or ids of items; empty: all. */
  readonly only: readonly string[];
  readonly servers: readonly ServerName[];
  readonly isQuick: boolean;
  readonly secs: number;
  readonly rounds: number;
  readonly jsonFile: string | undefined;
  readonly scratchParent: string | undefined;
  /** Another checkout of Holdfast, to measure that one. */
  readonly checkout: string | undefined;
  readonly isInstall: boolean;
  readonly isProfile: boolean;
  readonly isTrace: boolean;
}

export const USAGE = `usage: npm run bench -- [options]
  --only LIST     groups or ids of items, by comma:
                  put get stream list folder client memory start copies blocks api events page
                  nodes install
  --peers LIST    of nginx,apache,rclone; "none" for Holdfast alone (default: all)
  --database mariadb
                  also measures Holdfast on a MariaDB server that is started for it, on the same
                  disk: the rows "mariadb", and what two web nodes do ("--only nodes" alone will do)
  --quick         short cells, one round, smaller streams: a first look in under three minutes
  --secs N        length of a rate cell (default 2; quick 1)
  --repeat N      rounds, interleaved over servers; the median counts (default 3; quick 1)
  --json FILE     writes every figure of every round
  --profile       writes a CPU profile of Holdfast per item and prints where its time went
  --no-trace      does not find out by strace who syncs to disk
  --install       also measures npm ci on a clean copy of the checkout (uses the network)
  --checkout DIR  measures the Holdfast of another checkout, for a comparison
  --scratch DIR   parent of the scratch folder: the disk measured (default: test-artefacts/bench)
`;

const SECS_MAX = 600;
const ROUNDS_MAX = 99;

function list(text: string | undefined): string[] {
  return (text ?? '').split(',').map((word) => word.trim()).filter((word) => word !== '');
}

function number(name: string, text: string | undefined, most: number, usual: number): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (!(value > 0 && value <= most)) throw new Error(`--${name} takes a number up to ${most}`);
  return value;
}

/** @throws Error: an unknown option, or a value that cannot be. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' }, peers: { type: 'string' }, quick: { type: 'boolean' },
      secs: { type: 'string' }, repeat: { type: 'string' }, json: { type: 'string' },
      profile: { type: 'boolean' }, 'no-trace': { type: 'boolean' }, install: { type: 'boolean' },
      scratch: { type: 'string' }, checkout: { type: 'string' }, database: { type: 'string' },
    },
  });
  const isQuick = values.quick === true;
  const wanted = list(values.peers).filter((name) => name !== 'none');
  const unknown = wanted.find((name) => !SERVER_NAMES.includes(name as ServerName));
  if (unknown !== undefined) throw new Error(`there is no peer ${unknown}`);
  if (values.database !== undefined && values.database !== 'mariadb') {
    throw new Error('--database takes mariadb; files are measured anyway');
  }
  const isTaken = (name: ServerName): boolean =>
    name === 'holdfast' || values.peers === undefined || wanted.includes(name);
  return {
    only: list(values.only),
    servers: [
      'holdfast', ...(values.database === 'mariadb' ? ['mariadb' as const] : []),
      ...SERVER_NAMES.filter((name) => name !== 'holdfast' && isTaken(name)),
    ],
    isQuick,
    secs: number('secs', values.secs, SECS_MAX, isQuick ? 1 : 2),
    rounds: Math.ceil(number('repeat', values.repeat, ROUNDS_MAX, isQuick ? 1 : 3)),
    jsonFile: values.json,
    scratchParent: values.scratch,
    checkout: values.checkout,
    isInstall: values.install === true,
    isProfile: values.profile === true,
    isTrace: values['no-trace'] !== true,
  };
}

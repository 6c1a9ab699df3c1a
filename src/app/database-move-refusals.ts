/** Why the databases of an installation are not carried elsewhere, and what to do. */
import { HoldfastError } from '../base/errors.ts';
import type { DatabaseOwner } from '../metadata/stores/mariadb/installation.ts';
import type { NodeRecord } from '../platform/index.ts';
import type { DatabaseKind } from './database-move-note.ts';

const OP = 'app/moveDatabase';

function refusal(code: string, message: string): HoldfastError {
  return new HoldfastError('conflict', OP, `${message} Nothing was changed.`, { code });
}

export function noSettings(url: string | undefined): HoldfastError {
  return refusal('no-database', `Say in the settings which MariaDB database it is: database.url${
    url === undefined ? '' : ` = ${url}`}, and database.password_path for its password. `
    + 'docs/mariadb.md has an example.');
}

export function isThere(at: DatabaseKind): HoldfastError {
  return refusal('database-there', at === 'files'
    ? 'Accounts and metadata of this data directory are in its files already.'
    : 'Accounts and metadata of this data directory are on MariaDB already.');
}

export function nothingThere(): HoldfastError {
  return refusal('nothing-there', 'This data directory was never served from, so there is nothing '
    + 'to carry. To begin on MariaDB, just start with database.url.');
}

export function notEmpty(): HoldfastError {
  return refusal('database-not-empty', 'The database that database.url names is not empty: it '
    + 'belongs to an installation, is a shard, or is left from an earlier move. Make an empty '
    + 'one (CREATE DATABASE), and name that.');
}

export function notOurs(owner: DatabaseOwner | undefined): HoldfastError {
  const what = owner === undefined ? 'is empty'
    : owner.mark === 'whole' ? `belongs to the installation ${owner.installation}`
      : `is of the installation ${owner.installation}, and not whole`;
  return refusal('database-of-another', `The database that database.url names ${what}. Name the `
    + 'one that this data directory was served from.');
}

export function severalServers(): HoldfastError {
  return refusal('several-servers', 'cluster.node says that several servers share this database, '
    + 'and files are of one alone. Stop all others for good, and take cluster.node out of the '
    + 'settings.');
}

export function othersAtWork({ place, silentMs }: NodeRecord): HoldfastError {
  return refusal('database-in-use', `Another server works on this database: ${place}, last heard `
    + `of ${Math.round(silentMs / 1000)} s ago. Stop it, so that it says farewell. If it was `
    + 'killed: that of this machine and data directory is waited for ten seconds, any other one '
    + 'for a day, unless it is started and stopped again.');
}

export function homeElsewhere(tenant: string): HoldfastError {
  return refusal('home-elsewhere', `The storage of tenant ${tenant} has no place in this data `
    + 'directory: another server has made it, and this one was not there. Start this server once '
    + 'more as one of several (cluster.node), wait until it serves, and stop it. If it was made '
    + 'here, its folder is missing: put that back, from a backup if need be.');
}

export function changedMeanwhile(): HoldfastError {
  return new HoldfastError('conflict', OP, 'Somebody has changed something in the database '
    + 'meanwhile: a command that was begun before? Nothing counts as moved. Give the command '
    + 'again.', { code: 'changed-meanwhile' });
}

export function onlyForward(): HoldfastError {
  return refusal('only-forward', 'All has been carried to files and compared, and the database '
    + 'counts no more. End that first: holdfast database move --to files --yes');
}

export function tenantMoves(tenant: string): HoldfastError {
  return refusal('tenant-moves', `Tenant ${tenant} is on its way between two databases, or its `
    + 'way back is still open. Start the server, and end that: holdfast tenant move finish '
    + `${tenant}, or holdfast tenant move abort ${tenant}`);
}

export function shardInFile(name: string, tenant: string): HoldfastError {
  return refusal('shard-in-file', `Tenant ${tenant} is on the shard ${name}, which is a file of `
    + 'this machine, and an installation on MariaDB has none. Start the server, and move it '
    + `first: holdfast tenant move ${tenant} --to main`);
}

/** Of a shard that may just be altered: it can be neither known nor waited for. */
export function notLeftBy(shard: string, cause: HoldfastError): HoldfastError {
  const { kind, message, code } = cause;
  return new HoldfastError(kind, OP, `Shard ${shard}: ${message} Nothing was carried: `
    + 'say the same again.', {
    ...(code !== undefined && { code }), cause,
  });
}

import type { Target } from '../load/jobs.ts';

/** `mariadb` is Holdfast, too, with its metadata on a MariaDB server. */
export type ServerName = 'holdfast' | 'mariadb' | 'nginx' | 'apache' | 'rclone';
export const SERVER_NAMES: readonly ServerName[] = ['holdfast', 'nginx', 'apache', 'rclone'];

/** A WebDAV server that the bench has started. */
export interface BenchServer {
  readonly name: ServerName;
  /** For the report: program and version, or what is known of it. */
  readonly version: string;
  readonly target: Target;
  /** The process whose tree is watched for memory and processor time. */
  readonly pid: number;
  /** Processes beside it that work for it alone, and are watched with it. */
  readonly helperPids?: readonly number[];
  stop(): Promise<void>;
}

/** Why a server takes no part. It stays in the table under this reason. */
export class MissingServer extends Error {}

export interface StartOptions {
  /** An empty folder on the disk that is measured; it belongs to this server. */
  readonly folder: string;
  /** The checkout that holds Holdfast. */
  readonly repository: string;
}

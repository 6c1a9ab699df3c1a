/** Programs that the tests drive. A missing one fails the test: a skipped proof proves nothing. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { settings } from './settings.ts';

/** Program (or file) to Debian package. */
const PACKAGES = {
  nextcloudcmd: 'nextcloud-desktop-cmd',
  owncloudcmd: 'owncloud-client-cmd',
  litmus: 'litmus',
  rclone: 'rclone',
  cadaver: 'cadaver',
  curl: 'curl',
  openssl: 'openssl',
  gio: 'libglib2.0-bin',
  'dbus-run-session': 'dbus',
  '/usr/libexec/gvfsd': 'gvfs-daemons',
  '/usr/libexec/gvfsd-dav': 'gvfs-backends',
  'mount.davfs': 'davfs2',
  mariadbd: 'mariadb-server',
} as const;

export type Program = keyof typeof PACKAGES;

/** Throws, naming the Debian packages to install, unless all are there. */
export function needPrograms(...programs: readonly Program[]): void {
  const missing = programs.filter((program) => !isPresent(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => PACKAGES[program]))].join(' ');
  throw new Error(`Missing: ${missing.join(', ')}. Install it with: apt-get install ${packages}`);
}

function isPresent(program: string): boolean {
  if (program.startsWith('/')) return isExecutable(program);
  const folders = [...settings.inherited.PATH.split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

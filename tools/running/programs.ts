/** The foreign programs that the tests drive, and how they get here. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runChild } from './child.ts';

/** Debian package, and what shows that it is there: a program on the PATH, or one of some files. */
const PACKAGES: readonly (readonly [name: string, ...signs: string[]])[] = [
  ['nextcloud-desktop-cmd', 'nextcloudcmd'],
  ['owncloud-client-cmd', 'owncloudcmd'],
  ['litmus', 'litmus'],
  ['cadaver', 'cadaver'],
  ['rclone', 'rclone'],
  ['gvfs-backends', '/usr/libexec/gvfsd-dav', '/usr/lib/gvfs/gvfsd-dav'],
  ['gvfs-daemons', '/usr/libexec/gvfsd', '/usr/lib/gvfs/gvfsd'],
  ['libglib2.0-bin', 'gio'],
  ['dbus', 'dbus-run-session'],
  ['procps', 'ps'],
  ['davfs2', 'mount.davfs'],
  ['nginx-light', 'nginx'],
  ['libnginx-mod-http-dav-ext', '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so'],
  ['apache2', 'apache2'],
  ['curl', 'curl'],
  ['chromium', 'chromium'],
  ['openssl', 'openssl'],
  ['radosgw', 'radosgw'],
  ['ceph-mon', 'ceph-mon'],
  ['ceph-osd', 'ceph-osd'],
  ['ceph-common', 'ceph'],
  ['mariadb-server', 'mariadbd'],
  ['galera-4', '/usr/lib/galera/libgalera_smm.so'],
  ['rsync', 'rsync'],
];
const INSTALL_TIMEOUT_MS = 15 * 60_000;
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin'];

export function missingPackages(path: string): string[] {
  const folders = [...path.split(delimiter), ...SYSTEM_FOLDERS];
  const isThere = (sign: string): boolean => {
    if (sign.startsWith('/')) return mayUse(sign, constants.R_OK);
    return folders.some((folder) => mayUse(join(folder, sign), constants.X_OK));
  };
  return PACKAGES.filter(([, ...signs]) => !signs.some(isThere)).map(([name]) => name);
}

function mayUse(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return false;
    throw error;
  }
}

export interface InstallContext {
  readonly root: string;
  readonly path: string;
  readonly isSuperuser: boolean;
  readonly print: (line: string) => void;
}

/** Servers and clients of others that come from the npm registry, each in a folder of its own:
 *  Holdfast itself needs nothing of them. */
const SERVERS = ['test/servers/azurite', 'test/servers/nextcloud-files'];

/** Installs what is missing. Answers what is missing still. */
export async function installServers({ root, print }: InstallContext): Promise<string[]> {
  const missing: string[] = [];
  for (const folder of SERVERS) {
    if (mayUse(join(root, folder, 'node_modules'), constants.R_OK)) continue;
    print(`Installing what the tests run beside Holdfast: ${folder}`);
    const words = ['ci', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts'];
    const done = await runChild('npm', words, { cwd: root, timeoutMs: INSTALL_TIMEOUT_MS });
    if (done.code === 0) continue;
    print(`${done.output}\nMissing: ${folder}. Install it with: npm ci --prefix ${folder}`);
    missing.push(folder);
  }
  return missing;
}

/** Installs what is missing where it may. Answers what is missing still. */
export async function installPrograms(context: InstallContext): Promise<string[]> {
  const { root, path, isSuperuser, print } = context;
  const missing = missingPackages(path);
  if (missing.length === 0) return [];
  if (isSuperuser && mayUse('/usr/bin/apt-get', constants.X_OK)) {
    print(`Installing what the tests drive: ${missing.join(' ')}`);
    // RUNLEVEL=1 keeps what is installed from starting services by itself.
    const env = { DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    const options = { cwd: root, timeoutMs: INSTALL_TIMEOUT_MS, env };
    const install = ['install', '-y', '-q', '--no-install-recommends', ...missing];
    const updated = await runChild('apt-get', ['update', '-q'], options);
    const installed = await runChild('apt-get', install, options);
    if (installed.code !== 0) print(`${updated.output}\n${installed.output}`.trimEnd());
  }
  const still = missingPackages(path);
  for (const name of still) {
    print(`Missing: ${name}. Install it with: sudo apt-get install ${name}`);
  }
  return still;
}

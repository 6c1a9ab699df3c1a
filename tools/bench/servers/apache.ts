import { chownSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, findFreePort, findProgram, runProgram } from './children.ts';
import { MissingServer } from './bench-server.ts';
import type { BenchServer, StartOptions } from './bench-server.ts';
import { waitUntilAnswered } from './wait.ts';

const MODULE_FOLDERS = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules'];
const MODULES: readonly (readonly [string, string])[] = [
  ['mpm_event', 'mod_mpm_event'], ['unixd', 'mod_unixd'], ['authz_core', 'mod_authz_core'],
  ['authz_host', 'mod_authz_host'], ['mime', 'mod_mime'], ['setenvif', 'mod_setenvif'],
  ['dav', 'mod_dav'], ['dav_fs', 'mod_dav_fs'], ['log_config', 'mod_log_config'],
];

interface ConfigOptions {
  readonly folder: string;
  readonly modules: string;
  readonly port: number;
  readonly user: string | undefined;
}

/** Debian's defaults (event MPM, keep-alive, an access log), plus what DAV needs. */
function configOf({ folder, modules, port, user }: ConfigOptions): string {
  const loads = MODULES.filter(([, file]) => existsSync(join(modules, `${file}.so`)))
    .map(([name, file]) => `LoadModule ${name}_module ${join(modules, `${file}.so`)}`);
  return [
    ...loads,
    `ServerRoot ${folder}`, 'ServerName 127.0.0.1', `Listen 127.0.0.1:${port}`,
    `PidFile ${folder}/apache.pid`, `DefaultRuntimeDir ${folder}`, `ErrorLog ${folder}/error.log`,
    ...(user === undefined ? [] : [`User ${user}`, `Group ${user}`]),
    'LogFormat "%h %l %u %t \\"%r\\" %>s %O" common', `CustomLog ${folder}/access.log common`,
    // The default of 100 requests would measure reconnecting.
    'KeepAlive On', 'MaxKeepAliveRequests 0', 'KeepAliveTimeout 60', 'Timeout 300',
    'StartServers 2', 'MinSpareThreads 25', 'MaxSpareThreads 75', 'ThreadsPerChild 25',
    'MaxRequestWorkers 150',
    existsSync('/etc/mime.types') ? 'TypesConfig /etc/mime.types' : 'TypesConfig /dev/null',
    `DavLockDB ${folder}/locks/db`, 'DavDepthInfinity Off',
    `DocumentRoot ${folder}/files`,
    `<Directory ${folder}/files>`,
    '  Dav On', '  Require all granted', '  AllowOverride None', '  LimitXMLRequestBody 1000000',
    '</Directory>',
    '',
  ].join('\n');
}

/** Apache refuses to serve as root, so its files belong to the user that Debian made for it. */
function findWebUser(): { name: string; uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name = '', , uid, gid] = line.split(':');
    if (name !== 'www-data' && name !== 'apache') continue;
    return { name, uid: Number(uid), gid: Number(gid) };
  }
  throw new MissingServer('there is no user www-data or apache to run it as');
}

export async function startApache({ folder }: StartOptions): Promise<BenchServer> {
  const program = findProgram('apache2') ?? findProgram('httpd');
  const modules = MODULE_FOLDERS.find((path) => existsSync(join(path, 'mod_dav_fs.so')));
  if (program === undefined || modules === undefined) throw new MissingServer('not installed');
  const user = findWebUser();
  for (const name of ['files', 'locks']) {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    if (user !== undefined) chownSync(path, user.uid, user.gid);
  }
  const port = await findFreePort();
  const config = join(folder, 'apache.conf');
  writeFileSync(config, configOf({ folder, modules, port, user: user?.name }));
  const asked = await runProgram(program, ['-v']);
  const child = new Child({
    command: program,
    args: ['-f', config, '-DFOREGROUND'],
    logFile: join(folder, 'output.log'),
  });
  const target = { host: '127.0.0.1', port, root: '/', headers: '' };
  await waitUntilAnswered(child, target);
  return {
    name: 'apache',
    version: /Apache\/[\d.]+/.exec(asked.output)?.[0] ?? 'Apache',
    target,
    pid: child.pid,
    stop: () => child.stop(),
  };
}

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child, findFreePort, findProgram, runProgram } from './children.ts';
import { MissingServer } from './bench-server.ts';
import type { BenchServer, StartOptions } from './bench-server.ts';
import { waitUntilAnswered } from './wait.ts';

const MODULE_FILES = [
  '/usr/lib/nginx/modules/ngx_http_dav_ext_module.so',
  '/usr/share/nginx/modules/ngx_http_dav_ext_module.so',
  '/usr/lib64/nginx/modules/ngx_http_dav_ext_module.so',
];

interface ConfigOptions {
  readonly folder: string;
  readonly module: string;
  readonly port: number;
}

/** Debian's defaults (two workers on two cores, sendfile, an access log), plus what DAV needs. */
function configOf({ folder, module, port }: ConfigOptions): string {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${folder}/temp/${name};`);
  return [
    `load_module ${module};`,
    ...(process.getuid?.() === 0 ? ['user root;'] : []),
    'worker_processes auto;', 'daemon off;', `pid ${folder}/nginx.pid;`,
    `error_log ${folder}/error.log;`,
    'events { worker_connections 768; }',
    'http {',
    '  sendfile on; tcp_nopush on;',
    `  access_log ${folder}/access.log;`,
    // The default of 1,000 requests would measure reconnecting.
    '  keepalive_requests 1000000000;',
    '  client_max_body_size 0;',
    ...temp,
    '  dav_ext_lock_zone zone=locks:1m;',
    '  server {',
    `    listen 127.0.0.1:${port};`,
    '    location / {',
    `      root ${folder}/files;`,
    '      dav_methods PUT DELETE MKCOL COPY MOVE;',
    '      dav_ext_methods PROPFIND OPTIONS;',
    '      create_full_put_path on;',
    '    }',
    '  }',
    '}',
    '',
  ].join('\n');
}

export async function startNginx({ folder }: StartOptions): Promise<BenchServer> {
  const program = findProgram('nginx');
  if (program === undefined) throw new MissingServer('not installed');
  const module = MODULE_FILES.find((file) => existsSync(file));
  if (module === undefined) throw new MissingServer('installed without its dav-ext module');
  for (const name of ['files', 'temp']) mkdirSync(join(folder, name), { recursive: true });
  const port = await findFreePort();
  const config = join(folder, 'nginx.conf');
  writeFileSync(config, configOf({ folder, module, port }));
  const asked = await runProgram(program, ['-v']);
  const child = new Child({
    command: program,
    args: ['-p', folder, '-c', config],
    logFile: join(folder, 'output.log'),
  });
  const target = { host: '127.0.0.1', port, root: '/', headers: '' };
  await waitUntilAnswered(child, target);
  return {
    name: 'nginx',
    version: /nginx\/[\d.]+/.exec(asked.output)?.[0] ?? 'nginx',
    target,
    pid: child.pid,
    stop: () => child.stop(),
  };
}

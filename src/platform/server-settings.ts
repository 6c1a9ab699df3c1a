/** The settings of the platform itself: where it listens, how it logs, how it stops. */
import { isIP } from 'node:net';
import { LOG_LEVELS } from './log.ts';
import type { LogLevel } from './log.ts';
import { oneOf, optionalText, seconds, text } from './config/parsers.ts';
import { SettingError, setting, slice } from './config/setting.ts';
import type { RawValue } from './config/setting.ts';
import type { ListenAddress } from './http/listener.ts';
import { TrustedProxies } from './http/trusted-proxies.ts';

const DEFAULT_PORT = 8420;

export type ServerRole = 'all' | 'filer';

/** `127.0.0.1:8420`, `[::1]:8420`, `:8420` for every interface, or a bare host. */
export function parseListenAddress(raw: RawValue): ListenAddress {
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text(raw).trim());
  const port = Number(match?.[3] ?? DEFAULT_PORT);
  if (match === null || port > 65_535) {
    throw new SettingError('must be host:port, such as 127.0.0.1:8420 or [::1]:8420');
  }
  const [, bracketed, plain] = match;
  if (bracketed !== undefined && isIP(bracketed) !== 6) {
    throw new SettingError('must hold an IPv6 address between the brackets');
  }
  const host = bracketed ?? plain ?? '';
  return { host: host === '' ? '::' : host, port };
}

export function formatListenAddress({ host, port }: ListenAddress): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function parseProxies(raw: RawValue): string | undefined {
  const list = optionalText(raw);
  if (list !== undefined) TrustedProxies.parse(list);
  return list;
}

export const serverSlice = slice({
  settings: {
    dataDirectory: setting({
      key: 'server.data', default: './data', parse: text,
      docs: 'The directory that holds everything: accounts, the tree, and all blocks.',
    }),
    listen: setting<ListenAddress>({
      key: 'server.listen', default: { host: '127.0.0.1', port: DEFAULT_PORT },
      parse: parseListenAddress, format: formatListenAddress,
      docs: 'Address and port to listen on. Beyond this machine it takes a TLS certificate or a ' +
        'reverse proxy, because passwords would travel in the clear.',
    }),
    role: setting<ServerRole>({
      key: 'server.roles', default: 'all', parse: oneOf(['all', 'filer']),
      docs: '`all`: everything, on one machine. `filer`: only keeps volume files on its disks, for '
        + 'a server on another machine; `server.listen` then answers health checks and metrics.',
    }),
    tlsCertPath: setting<string | undefined>({
      key: 'server.tls_cert', default: undefined, parse: optionalText,
      docs: 'File with the TLS certificate chain, in PEM. Read again on SIGHUP.',
    }),
    tlsKeyPath: setting<string | undefined>({
      key: 'server.tls_key', default: undefined, parse: optionalText,
      docs: 'File with the private key of the certificate, in PEM.',
    }),
    behindProxy: setting<string | undefined>({
      key: 'server.behind_proxy', default: undefined, parse: parseProxies,
      docs: 'Addresses of the reverse proxies that add TLS, by commas: `10.0.0.7`, `10.0.0.0/8`, ' +
        '`loopback`, `private`. Only their X-Forwarded headers are believed.',
    }),
    drainSeconds: setting({
      key: 'server.drain_seconds', default: 20, parse: seconds({ min: 0, max: 3600 }),
      unit: 'seconds',
      docs: 'How long running requests may go on after a signal to stop, before they are cut. The '
        + 'process is gone at most 10 seconds later.',
    }),
    logLevel: setting<LogLevel>({
      key: 'log.level', default: 'info', parse: oneOf(LOG_LEVELS),
      docs: 'The least important kind of line that is logged.',
    }),
    failpoint: setting<string | undefined>({
      key: 'debug.failpoint', default: undefined, parse: optionalText, env: 'HOLDFAST_FAILPOINT',
      docs: 'For crash tests only: the place in the program where it kills itself, or with :stop '
        + 'at the end stands still.',
    }),
  },
  check({ listen, tlsCertPath, tlsKeyPath, behindProxy }) {
    if ((tlsCertPath === undefined) !== (tlsKeyPath === undefined)) {
      const key = tlsCertPath === undefined ? 'server.tls_key' : 'server.tls_cert';
      return [{ key, problem: 'a TLS certificate and its key must be given together' }];
    }
    const isGuarded = tlsCertPath !== undefined || behindProxy !== undefined;
    if (isLoopback(listen.host) || isGuarded) return [];
    const problem = `listening on ${formatListenAddress(listen)} without encryption would show ` +
      'passwords and files to the network. Give --tls-cert and --tls-key, or put a reverse proxy ' +
      'with TLS in front and name it: --behind-proxy 10.0.0.7';
    return [{ key: 'server.listen', problem }];
  },
});

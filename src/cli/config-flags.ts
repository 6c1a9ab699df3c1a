/** The flags that stand for settings, the same for every command that takes them. */
import type { ConfigRequest, Slice } from '../platform/index.ts';
import { flagText } from './command.ts';
import type { CommandFlag, CommandInput } from './command.ts';

const SETTING_FLAGS = [
  { flags: '--data <dir>', key: 'server.data', docs: 'directory that holds everything (./data)' },
  { flags: '--listen <address>', key: 'server.listen', docs: 'host:port (127.0.0.1:8420)' },
  { flags: '--tls-cert <file>', key: 'server.tls_cert', docs: 'certificate chain, PEM' },
  { flags: '--tls-key <file>', key: 'server.tls_key', docs: 'private key of the certificate, PEM' },
  {
    flags: '--behind-proxy <addresses>', key: 'server.behind_proxy',
    docs: 'trust the X-Forwarded headers of these proxies: 10.0.0.7, 10.0.0.0/8, loopback, private',
  },
  { flags: '--roles <role>', key: 'server.roles', docs: 'all, or filer: only keep volume files' },
  { flags: '--filer-listen <address>', key: 'filer.listen', docs: 'of a filer: 127.0.0.1:8421' },
  { flags: '--disks <folders>', key: 'filer.disks', docs: 'of a filer: its disks, by commas' },
  { flags: '--adopt-empty', key: 'filer.adopt_empty', docs: 'of a filer: empty folders are disks' },
  { flags: '--cluster-key <file>', key: 'cluster.key_file', docs: "see 'holdfast cluster key'" },
] as const;

export const CONFIG_FLAGS: readonly CommandFlag[] = [
  ...SETTING_FLAGS.map(({ flags, docs }) => ({ flags, docs })),
  { flags: '--config <file>', docs: 'settings, in TOML; see docs/configuration.md' },
];

export function configRequest(input: CommandInput, slices: readonly Slice[]): ConfigRequest {
  const path = flagText(input, 'config');
  const given = SETTING_FLAGS.flatMap(({ flags, key }) => {
    const [flag = ''] = flags.split(' ');
    const isSwitch = flag === flags;
    const isOn = isSwitch && input.flags[flag.slice(2)] === true;
    const value = isSwitch ? (isOn ? 'true' : undefined) : flagText(input, flag.slice(2));
    return value === undefined ? [] : [{ key, value, flag }];
  });
  return { slices, flags: given, ...(path !== undefined && { path }) };
}

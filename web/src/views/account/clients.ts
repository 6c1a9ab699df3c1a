/** What people connect, and what they do for it. */
import type { IconName } from '../../parts/icons.tsx';
import type { TextKey } from '../../texts/texts.ts';

export interface Client {
  readonly name: string;
  readonly icon: IconName;
  readonly title: TextKey;
  readonly summary: TextKey;
  readonly steps: readonly TextKey[];
  /** What the device is called unless somebody says otherwise. */
  readonly deviceName: TextKey;
  /** Others sign in by a page of ours, and are given one there. */
  readonly needsPassword: boolean;
  readonly hasQr: boolean;
  readonly address: (page: Pick<Location, 'origin' | 'host' | 'protocol'>) => string;
}

const server: Client['address'] = ({ origin }) => origin;
const folder: Client['address'] = ({ origin }) => `${origin}/dav/`;
const asDrive = { needsPassword: true, hasQr: false, address: folder } as const;

export const CLIENTS: readonly Client[] = [
  {
    name: 'desktop', icon: 'computer', title: 'connect.desktop', summary: 'connect.desktopText',
    steps: ['connect.desktop1', 'connect.desktop2', 'connect.desktop3'],
    deviceName: 'connect.desktopName', needsPassword: false, hasQr: false, address: server,
  },
  {
    name: 'phone', icon: 'phone', title: 'connect.phone', summary: 'connect.phoneText',
    steps: ['connect.phone1', 'connect.phone2', 'connect.phone3'],
    deviceName: 'connect.phoneName', needsPassword: true, hasQr: true, address: server,
  },
  {
    ...asDrive, name: 'windows', icon: 'folder', title: 'connect.windows',
    summary: 'connect.windowsText', deviceName: 'connect.windowsName',
    steps: ['connect.windows1', 'connect.windows2', 'connect.windows3'],
  },
  {
    ...asDrive, name: 'mac', icon: 'folder', title: 'connect.mac', summary: 'connect.macText',
    steps: ['connect.mac1', 'connect.mac2', 'connect.mac3'], deviceName: 'connect.macName',
  },
  {
    ...asDrive, name: 'linux', icon: 'folder', title: 'connect.linux', summary: 'connect.linuxText',
    steps: ['connect.linux1', 'connect.linux2', 'connect.linux3'],
    deviceName: 'connect.linuxName',
    address: ({ host, protocol }) => `${protocol === 'https:' ? 'davs' : 'dav'}://${host}/dav/`,
  },
  {
    ...asDrive, name: 'program', icon: 'code', title: 'connect.program',
    summary: 'connect.programText', steps: ['connect.program1', 'connect.program2'],
    deviceName: 'connect.programName',
  },
];

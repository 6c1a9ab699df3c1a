import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readableDevice } from './device-name.ts';

it('names browsers and apps as their owners would', () => {
  const names: [string, string][] = [
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) '
      + 'Chrome/140.0.0.0 Safari/537.36 Edg/140.0', 'Edge on Windows'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Safari/604',
      'Safari on iPhone'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
    ['Mozilla/5.0 (Android) Nextcloud-android/3.30.1', 'Nextcloud app on Android'],
    ['Mozilla/5.0 (Linux) mirall/3.7.3 (build 1) (Nextcloud, debian)', 'Nextcloud client on Linux'],
    ['Mozilla/5.0 (Macintosh) mirall/2.11.0 (ownCloud, osx)', 'ownCloud client on Mac'],
    ['Workbench (Desktop Client - Linux)', 'Workbench (Desktop Client - Linux)'],
    ['Mozilla/5.0 something unknown', 'Mozilla/5.0 something unknown'],
    ['', ''],
  ];
  for (const [userAgent, name] of names) assert.equal(readableDevice(userAgent), name);
});

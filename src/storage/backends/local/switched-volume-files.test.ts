import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { NodeVolumeFiles } from './node-volume-files.ts';
import { SwitchedVolumeFiles } from './switched-volume-files.ts';
import { testVolumeFiles } from './volume-files.conformance.ts';

const root = mkdtempSync(join(tmpdir(), 'switched-'));
after(() => rmSync(root, { recursive: true }));
let made = 0;

testVolumeFiles('SwitchedVolumeFiles', () => {
  made += 1;
  const files = new SwitchedVolumeFiles(new NodeVolumeFiles(join(root, 'never used')));
  files.switchTo(new NodeVolumeFiles(join(root, String(made))));
  return Promise.resolve(files);
});

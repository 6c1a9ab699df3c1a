import { testTwoWaySync } from './two-way-scenario.ts';
import { owncloudcmd } from './sync-program.ts';

testTwoWaySync(owncloudcmd);

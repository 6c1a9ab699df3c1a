import { testTwoWaySync } from './two-way-scenario.ts';
import { nextcloudcmd } from './sync-program.ts';

testTwoWaySync(nextcloudcmd);

/** A server that is killed by the only order it takes, before it has said anything about it. */
import { silentLog, systemRandom } from '../../platform/index.ts';
import { ControlServer } from '../control-server.ts';

const [directory = ''] = process.argv.slice(2);
await ControlServer.open({
  directory, log: silentLog, random: systemRandom,
  operations: {
    die: () => new Promise(() => {
      // A turn later: what was sent before the order began has left by then.
      setImmediate(() => process.kill(process.pid, 'SIGKILL'));
    }),
  },
});
process.stdout.write('ready\n');

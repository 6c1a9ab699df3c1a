import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { serverSlice } from '../server-settings.ts';
import { Config } from './config.ts';
import type { ConfigSources } from './config.ts';
import { configurationManual } from './manual.ts';
import { flag, integer, listOf, oneOf, optionalText, seconds, sizeBytes, text } from './parsers.ts';
import { SettingError, setting, slice } from './setting.ts';
import type { RawValue } from './setting.ts';

const pond = slice({
  settings: {
    depth: setting({
      key: 'pond.depth_meters', default: 3, parse: integer({ min: 1, max: 9 }), unit: 'meters',
      docs: 'How deep.',
    }),
    name: setting({ key: 'pond.name', default: 'blue', parse: text, docs: 'Its name.' }),
    password: setting<string | undefined>({
      key: 'pond.password', default: undefined, parse: optionalText, secret: true, docs: 'Hush.',
    }),
  },
  check: ({ depth, name }) => {
    const isOdd = depth === 9 && name === 'shallow';
    return isOdd ? [{ key: 'pond.name', problem: 'nine meters are not shallow' }] : [];
  },
});

function sources(toml: string, more: Partial<ConfigSources> = {}): ConfigSources {
  return { slices: [pond], env: {}, file: { text: toml, label: 'holdfast.toml' }, ...more };
}

function mistakesOf(given: ConfigSources): string[] {
  return Config.inspect(given).mistakes.map(({ where, problem }) => `${where}: ${problem}`);
}

describe('Config', () => {
  it('uses defaults, then the file, then the environment, then flags', () => {
    const depthOf = (given: ConfigSources): number => Config.load(given).of(pond).depth;
    const file = '[pond]\ndepth_meters = 4';
    const env = { HOLDFAST_POND_DEPTH_METERS: '5' };
    const flags = [{ key: 'pond.depth_meters', value: '6', flag: '--depth' }];
    assert.equal(depthOf(sources('')), 3);
    assert.equal(depthOf(sources(file)), 4);
    assert.equal(depthOf(sources(file, { env })), 5);
    assert.equal(depthOf(sources(file, { env, flags })), 6);
  });

  it('tells every mistake at once, with line, variable or flag', () => {
    const toml = '# a comment\n[pond]\ndepth_metres = 4\nname = 7\n';
    const env = { HOLDFAST_POND_DEPTH_METERS: 'deep', HOLDFAST_POND_NAM: 'x', PATH: '/bin' };
    assert.deepEqual(mistakesOf(sources(toml, { env })), [
      'holdfast.toml line 3: there is no such setting as pond.depth_metres. ' +
        'Did you mean pond.depth_meters?',
      'HOLDFAST_POND_NAM: there is no such setting as HOLDFAST_POND_NAM. ' +
        'Did you mean HOLDFAST_POND_NAME?',
      'HOLDFAST_POND_DEPTH_METERS: pond.depth_meters: must be a whole number',
      'holdfast.toml line 4: pond.name: must be text in quotes',
    ]);
  });

  it('refuses to load what has a mistake, and lists the mistakes in the message', () => {
    assert.throws(() => Config.load(sources('[pond]\ndepth_meters = 99')), (error: unknown) => {
      const wanted = 'holdfast.toml line 2: pond.depth_meters: must lie between 1 and 9';
      return isKind(error, 'invalid') && error.message.includes(wanted);
    });
  });

  it('names the line of broken TOML', () => {
    const [mistake] = mistakesOf(sources('[pond]\nname = "never closed\n'));
    assert.match(mistake ?? '', /^holdfast\.toml line [23]: not TOML: /);
  });

  it('finds settings that contradict each other, once each is right by itself', () => {
    const toml = '[pond]\ndepth_meters = 9\nname = "shallow"\n';
    assert.deepEqual(mistakesOf(sources(toml)), [
      'holdfast.toml line 3: nine meters are not shallow',
    ]);
  });

  it('shows values with their sources, and no secret', () => {
    const toml = '[pond]\npassword = "hunter2"\n';
    const shown = Config.load(sources(toml)).show();
    assert.match(shown, /^\[pond\]\ndepth_meters = 3 {2}# default\n/);
    assert.match(shown, /password = "\*+" {2}# holdfast\.toml line 2/);
    assert.ok(!shown.includes('hunter2'));
  });

  it('finds the line of dotted keys and inline headers too', () => {
    assert.match(mistakesOf(sources('\n\npond.depth_meters = true'))[0] ?? '', /line 3: /);
  });
});

describe('Settings in sets with names', () => {
  const lakes = slice({ ...pond, sets: { under: 'pond.lakes', of: 'pond' } });
  const inspect = (toml: string) => Config.inspect({
    slices: [lakes], env: {}, file: { text: toml, label: 'f' },
  });

  it('say what differs from the defaults, each by itself', () => {
    const { config, mistakes } = inspect('[pond]\ndepth_meters = 4\n[pond.lakes.big]\n'
      + 'name = "sea"\n[pond.lakes.small]\npassword = "hunter2"\n');
    assert.deepEqual(mistakes, []);
    const sets = config?.sets('pond.lakes') ?? new Map<string, Config>();
    assert.deepEqual([...sets.keys()], ['big', 'small']);
    assert.deepEqual(sets.get('big')?.of(lakes), { depth: 3, name: 'sea', password: undefined });
    assert.equal(config?.of(lakes).depth, 4);
    const shown = config?.show() ?? '';
    assert.ok(shown.includes('[pond.lakes.big]\nname = "sea"  # f line 4\n'), shown);
    assert.ok(!shown.includes('hunter2'));
  });

  it('are checked as strictly: keys, values, names, and what contradicts itself', () => {
    const problemsOf = (toml: string): string[] => (
      inspect(toml).mistakes.map(({ where, problem }) => `${where}: ${problem}`));
    assert.deepEqual(problemsOf('[pond.lakes.big]\ndepth_metres = 4\ndepth_meters = 99\n'), [
      'f line 2: there is no such setting as pond.lakes.big.depth_metres. '
        + 'Did you mean pond.lakes.big.depth_meters?',
      'f line 3: pond.depth_meters: must lie between 1 and 9',
    ]);
    assert.deepEqual(problemsOf('[pond.lakes.big]\ndepth_meters = 9\nname = "shallow"\n'), [
      'f line 3: pond.lakes.big: nine meters are not shallow',
    ]);
    assert.match(problemsOf('[pond.lakes.Big]\nname = "x"\n')[0] ?? '', /Big is no name/);
    assert.match(problemsOf('[pond.lakes.default]\nname = "x"\n')[0] ?? '', /is \[pond\] itself/);
    const many = Array.from({ length: 65 }, (_, at) => `[pond.lakes.l${at}]\nname = "x"\n`);
    assert.equal(problemsOf(many.join('')).length, 1);
  });
});

it('configurationManual has an entry for every setting', () => {
  const manual = configurationManual([pond, serverSlice]);
  for (const { key } of Object.values({ ...pond.settings, ...serverSlice.settings })) {
    assert.ok(manual.includes(`### ${key.slice(key.indexOf('.') + 1)}\n`), key);
  }
  assert.ok(manual.includes('Default: `3`, in meters. Environment: `HOLDFAST_POND_DEPTH_METERS`.'));
});

describe('The parsers of settings', () => {
  const refuses = (parse: (raw: RawValue) => unknown, ...raws: RawValue[]): void => {
    for (const raw of raws) assert.throws(() => parse(raw), SettingError, JSON.stringify(raw));
  };

  it('take sizes in bytes or with binary units, within limits', () => {
    const parse = sizeBytes({ min: 1, max: 2 ** 40 });
    const sizes = [512, '512', '2 KiB', '3MiB', '1 gib'].map(parse);
    assert.deepEqual(sizes, [512, 512, 2048, 3 * 2 ** 20, 2 ** 30]);
    refuses(parse, '1 MB', '1.5 GiB', -1, 0, '2 TiB', true, 'much');
  });

  it('take times in seconds or with units', () => {
    const parse = seconds({ min: 0, max: 86_400 * 365 });
    const times = [30, '30 s', '5m', '12 h', '14d'].map(parse);
    assert.deepEqual(times, [30, 30, 300, 43_200, 1_209_600]);
    refuses(parse, '1 w', '-1', '1.5 h', '');
  });

  it('take truth values, choices, whole numbers and lists in both forms', () => {
    assert.deepEqual(['true', false].map(flag), [true, false]);
    assert.equal(oneOf(['a', 'b'])('b'), 'b');
    assert.deepEqual(['7', 7].map(integer({ min: 0, max: 9 })), [7, 7]);
    const list = listOf(integer({ min: 0, max: 9 }), 3);
    assert.deepEqual([list('1, 2'), list([3, 4])], [[1, 2], [3, 4]]);
    refuses(flag, 'yes', 1);
    refuses(oneOf(['a', 'b']), 'c', 'A');
    refuses(integer({ min: 0, max: 9 }), 10, 1.5, '0x1', '');
    refuses(list, '1,2,3,4', 5, ['x']);
  });
});

describe('The settings of the server', () => {
  const load = (env: Record<string, string>): string[] => {
    return Config.inspect({ slices: [serverSlice], env }).mistakes.map(({ problem }) => problem);
  };

  it('listen beyond this machine only with TLS or behind a proxy, and say how', () => {
    const open = { HOLDFAST_SERVER_LISTEN: '0.0.0.0:8420' };
    const tls = { HOLDFAST_SERVER_TLS_CERT: 'c.pem', HOLDFAST_SERVER_TLS_KEY: 'k.pem' };
    assert.match(load(open)[0] ?? '', /--tls-cert and --tls-key.*--behind-proxy/);
    assert.deepEqual(load({ ...open, ...tls }), []);
    assert.deepEqual(load({ ...open, HOLDFAST_SERVER_BEHIND_PROXY: 'private' }), []);
    for (const local of ['127.0.0.1:1', '[::1]:1', 'localhost:1', '127.8.0.1']) {
      assert.deepEqual(load({ HOLDFAST_SERVER_LISTEN: local }), [], local);
    }
    for (const wide of [':8420', '[::]:8420', 'files.example:443', '10.0.0.1:80']) {
      assert.equal(load({ HOLDFAST_SERVER_LISTEN: wide }).length, 1, wide);
    }
  });

  it('take a certificate only together with its key', () => {
    assert.match(load({ HOLDFAST_SERVER_TLS_CERT: 'c.pem' })[0] ?? '', /together/);
  });

  it('refuse addresses and proxies that are none', () => {
    for (const wrong of ['127.0.0.1:99999', '[nonsense]:1', 'a:b:c']) {
      assert.equal(load({ HOLDFAST_SERVER_LISTEN: wrong }).length, 1, wrong);
    }
    assert.equal(load({ HOLDFAST_SERVER_BEHIND_PROXY: 'my-nginx' }).length, 1);
  });
});

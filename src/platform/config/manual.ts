/** The manual's page on settings, made from their declarations so that it cannot drift. */
import { nameOf, sectionOf, showValue } from './config.ts';
import { environmentName } from './setting.ts';
import type { SetPlace, Setting, Slice } from './setting.ts';

const HEAD = `# Configuration

Holdfast runs without any configuration. To change something, write a \`holdfast.toml\` and start
with \`./holdfast serve --config holdfast.toml\`, or set the environment variable named with each
setting. A command-line flag outweighs the environment, the environment outweighs the file.

Everything is checked before anything starts: \`./holdfast config check\` lists every mistake at
once, \`./holdfast config show\` prints what is in force and where each value came from, secrets
masked. A key that does not exist is refused. Sizes may be written \`"512 MiB"\`, times
\`"30 s"\`, \`"5 m"\`, \`"12 h"\` or \`"14 d"\`.
`;

export function configurationManual(slices: readonly Slice[]): string {
  const settings = slices.flatMap((slice) => Object.values(slice.settings));
  const sections = [...new Set(settings.map(({ key }) => sectionOf(key)))].sort();
  const parts = sections.map((section) => {
    const own = settings.filter(({ key }) => sectionOf(key) === section);
    return `## [${section}]\n\n${own.map(entry).join('\n')}`;
  });
  const places = slices.flatMap(({ sets }) => (sets === undefined ? [] : [sets]));
  const sets = [...new Map(places.map((place) => [place.under, place])).values()].map(setsEntry);
  return `${HEAD}\n${[...parts, ...sets].join('\n')}`;
}

function setsEntry({ under, of }: SetPlace): string {
  return [
    `## [${under}.NAME]`,
    '',
    `The settings of \`${of}\` once more, in sets that have names: \`${under}.NAME.KEY\` is to`,
    `its set what \`${of}.KEY\` is to everything else. What a set does not say is as by default,`,
    `whatever \`${of}\` says. A name starts with a lower-case letter and holds such letters,`,
    `digits, \`-\` and \`_\`; \`default\` is \`${of}\` itself. Sets stand in the file only; their`,
    'secrets may be in files of their own, as everywhere.',
    '',
  ].join('\n');
}

function entry(setting: Setting<unknown>): string {
  const unit = setting.unit === undefined ? '' : `, in ${setting.unit}`;
  const hasDefault = setting.default !== undefined && setting.secret !== true;
  const byDefault = hasDefault ? `\`${showValue(setting, setting.default)}\`` : 'nothing';
  const secret = setting.secret === true ? ' A secret: it is never shown.' : '';
  return [
    `### ${nameOf(setting.key)}`,
    '',
    `${setting.docs}${secret}`,
    '',
    `Default: ${byDefault}${unit}. Environment: \`${environmentName(setting)}\`.`,
    '',
  ].join('\n');
}

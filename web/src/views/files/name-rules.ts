import { t } from '../../texts/texts.ts';

/** What is wrong with a name, for whoever is writing it; the server has the last word. */
export function faultOfName(name: string): string | undefined {
  const text = name.trim();
  if (text === '') return t('files.nameEmpty');
  if (text.includes('/')) return t('files.nameSlash');
  return text === '.' || text === '..' ? t('files.nameDots') : undefined;
}

import { t } from '../../texts/texts.ts';

export function daysText(count: number): string {
  return t('admin.days', { count });
}

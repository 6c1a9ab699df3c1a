/** Finds people and groups by the beginning of a name, with the keys or the mouse. */
import { Combobox, Pill, PillsInput, useCombobox } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { KeyboardEvent, ReactNode, RefObject } from 'react';
import { api } from '../../api/client.ts';
import { reasonOf } from '../../api/http.ts';
import type { NewShare } from '../../../../src/wire/client.ts';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';
import { iconOfKind } from './sharing-words.ts';

export interface Picked {
  readonly key: string;
  readonly name: string;
  readonly receiver: NewShare['receiver'];
}

export interface PersonPickerProps {
  readonly picked: readonly Picked[];
  readonly onPick: (picked: readonly Picked[]) => void;
  /** Who has it already: `user:ID` or `group:ID`. */
  readonly taken: ReadonlySet<string>;
  readonly field: RefObject<HTMLInputElement | null>;
}

const FOUND_MAX = 20;
/** Letters typed in quick succession are asked about once. */
const REST_MS = 120;
const MAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

export function PersonPicker({ picked, onPick, taken, field }: PersonPickerProps): ReactNode {
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() });
  const [search, setSearch] = useState('');
  const { found, canInvite, state } = useFound(search.trim());
  const hint = canInvite ? 'sharing.addHintMail' : 'sharing.addHint';
  const pickedKeys = new Set(picked.map(({ key }) => key));
  const offered = found.filter(({ key }) => !taken.has(key) && !pickedKeys.has(key));
  // The first one is ready for Enter as soon as it is there.
  useEffect(() => {
    if (search !== '' && offered.length > 0) box.selectFirstOption();
  }, [offered.length, search, box.dropdownOpened]);
  const take = (key: string): void => {
    const one = offered.find((offer) => offer.key === key);
    if (one === undefined) return;
    onPick([...picked, one]);
    setSearch('');
    box.closeDropdown();
  };
  const type = (text: string): void => {
    setSearch(text);
    if (text.trim() === '') box.closeDropdown();
    else box.openDropdown();
  };
  const drop = (key: string): void => onPick(picked.filter((one) => one.key !== key));
  const onKeyDown = (event: KeyboardEvent): void => {
    const last = picked.at(-1);
    if (event.key === 'Backspace' && search === '' && last !== undefined) drop(last.key);
    // Also before the list has been drawn.
    const [first] = offered;
    if (event.key !== 'Enter' || box.getSelectedOptionIndex() !== -1) return;
    event.preventDefault();
    if (first !== undefined && search.trim() !== '') take(first.key);
  };
  return (
    <Combobox store={box} onOptionSubmit={take} withinPortal shadow="md">
      <Combobox.DropdownTarget>
        <PillsInput label={t('sharing.add')} leftSection={<Icon name="search" small />}>
          <Pill.Group>
            {picked.map((one) => <PickedPill key={one.key} picked={one} drop={drop} />)}
            <Combobox.EventsTarget withExpandedAttribute>
              <PillsInput.Field
                ref={field} role="combobox" aria-label={t('sharing.add')} value={search}
                spellCheck={false} autoComplete="off" autoCapitalize="none" data-autofocus
                placeholder={picked.length > 0 ? '' : t(hint)}
                onChange={(event) => type(event.currentTarget.value)}
                onBlur={() => box.closeDropdown()} onKeyDown={onKeyDown}
              />
            </Combobox.EventsTarget>
          </Pill.Group>
        </PillsInput>
      </Combobox.DropdownTarget>
      <Combobox.Dropdown hidden={search.trim() === ''}>
        <section aria-label={t('sharing.found')}>
          <Combobox.Options aria-label={t('sharing.found')}>
            {offered.map((one) => (
              <Combobox.Option key={one.key} value={one.key}>
                <Offer offered={one} />
              </Combobox.Option>
            ))}
          </Combobox.Options>
          {offered.length === 0 && (
            <p className="hf-found-none" role="status">{state ?? t('sharing.nobody')}</p>
          )}
        </section>
      </Combobox.Dropdown>
    </Combobox>
  );
}

function Offer({ offered: { name, receiver: { kind } } }: {
  readonly offered: Picked;
}): ReactNode {
  return (
    <span className="hf-found">
      <Icon name={kind === 'mail' ? 'mail' : iconOfKind(kind)} small />
      <span>{name}</span>
      <small>{t(`sharing.${kind}`)}</small>
    </span>
  );
}

interface PickedPillProps {
  readonly picked: Picked;
  readonly drop: (key: string) => void;
}

function PickedPill({ picked: { key, name }, drop }: PickedPillProps): ReactNode {
  return (
    <Pill
      withRemoveButton onRemove={() => drop(key)}
      removeButtonProps={{ 'aria-label': t('sharing.removePicked', { name }) }}
    >
      {name}
    </Pill>
  );
}

interface Found {
  readonly found: readonly Picked[];
  readonly canInvite: boolean;
  /** Why nothing is found as yet. */
  readonly state: string | undefined;
}

/** Never what was found for the letters before: Enter would take the wrong person. */
function useFound(search: string): Found {
  const { data: server } = useQuery({
    queryKey: ['sharees', ''], staleTime: Infinity,
    queryFn: ({ signal }) => api.findSharees({ query: '', limit: 1 }, { signal }),
  });
  const [wanted] = useDebouncedValue(search, REST_MS);
  const { data: latest, error } = useQuery({
    queryKey: ['sharees', wanted], enabled: wanted !== '',
    queryFn: ({ signal }) => api.findSharees({ query: wanted, limit: FOUND_MAX }, { signal }),
  });
  const data = wanted === search ? latest : undefined;
  const canInvite = server?.canInvite === true;
  const people = search === '' ? [] : data?.items ?? [];
  const found = people.map(({ kind, id, displayName: name }): Picked => {
    return { key: `${kind}:${id}`, name, receiver: { kind, id } };
  });
  if (canInvite && MAIL.test(search)) {
    const receiver = { kind: 'mail', address: search } as const;
    found.push({ key: `mail:${search}`, name: search, receiver });
  }
  const state = error !== null ? reasonOf(error)
    : data === undefined ? t('sharing.searching') : undefined;
  return { found, canInvite, state };
}

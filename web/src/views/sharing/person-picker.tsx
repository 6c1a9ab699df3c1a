/** Finds people and groups by the beginning of a name, with the keys or the mouse. */
import { Combobox, Pill, PillsInput, useCombobox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useEffect, useState } from 'react';
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
const MAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

export function PersonPicker({ picked, onPick, taken, field }: PersonPickerProps): ReactNode {
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() });
  const [search, setSearch] = useState('');
  const { found, canInvite, state } = useFound(search.trim());
  const isNew = ({ key }: Picked): boolean => {
    return !taken.has(key) && picked.every((one) => one.key !== key);
  };
  const offered = found.filter(isNew);
  // The first one is ready for Enter as soon as it is there.
  useEffect(() => {
    if (search !== '' && offered.length > 0) box.selectFirstOption();
  }, [offered.length, search]);
  const take = (key: string): void => {
    const one = offered.find((offer) => offer.key === key);
    if (one === undefined) return;
    onPick([...picked, one]);
    setSearch('');
    box.closeDropdown();
  };
  const drop = (key: string): void => onPick(picked.filter((one) => one.key !== key));
  const onKeyDown = (event: KeyboardEvent): void => {
    const last = picked.at(-1);
    if (event.key === 'Backspace' && search === '' && last !== undefined) drop(last.key);
  };
  return (
    <Combobox store={box} onOptionSubmit={take} withinPortal shadow="md">
      <Combobox.DropdownTarget>
        <PillsInput
          label={t('sharing.add')} leftSection={<Icon name="search" small />}
          className="hf-picker-people"
        >
          <Pill.Group>
            {picked.map((one) => <PickedPill key={one.key} picked={one} drop={drop} />)}
            <Combobox.EventsTarget withExpandedAttribute>
              <PillsInput.Field
                ref={field} role="combobox" aria-label={t('sharing.add')} value={search}
                spellCheck={false} autoComplete="off" autoCapitalize="none" data-autofocus
                placeholder={picked.length > 0 ? ''
                  : t(canInvite ? 'sharing.addHintMail' : 'sharing.addHint')}
                onChange={(event) => {
                  setSearch(event.currentTarget.value);
                  if (event.currentTarget.value.trim() === '') box.closeDropdown();
                  else box.openDropdown();
                }}
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

function useFound(search: string): Found {
  const wanted = useDeferredValue(search);
  const { data, error } = useQuery({
    queryKey: ['sharees', wanted],
    queryFn: ({ signal }) => api.findSharees({ query: wanted, limit: FOUND_MAX }, { signal }),
    placeholderData: (before) => before,
  });
  const canInvite = data?.canInvite === true;
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

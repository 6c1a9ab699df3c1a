/** Asks what to do about a taken name, one question at a time, and waits for the answer. */
import type { ReactNode } from 'react';
import { Store, useStore } from '../../api/store.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { t } from '../../texts/texts.ts';
import { ConflictQuestion } from '../../uploads/conflict-dialog.tsx';
import type { ConflictChoice } from '../../uploads/upload-item.ts';

interface Question {
  readonly name: string;
  readonly folder: string;
  readonly othersCount: number;
}

interface OpenQuestion extends Question {
  readonly answer: (choice: ConflictChoice, forAll: boolean) => void;
}

const open = new Store<OpenQuestion | undefined>(undefined);
let lastAnswered: Promise<unknown> = Promise.resolve();
let choiceForAll: ConflictChoice | undefined;

/** Before a new step: what was chosen for all belonged to the one before. */
export function forgetChoice(): void {
  choiceForAll = undefined;
}

export function questionOf(question: Question): Promise<ConflictChoice> {
  const answered = lastAnswered.then(() => choiceForAll ?? show(question));
  lastAnswered = answered;
  return answered;
}

function show(question: Question): Promise<ConflictChoice> {
  return new Promise((resolve) => {
    open.set({
      ...question,
      answer: (choice, forAll) => {
        if (forAll) choiceForAll = choice;
        open.set(undefined);
        resolve(choice);
      },
    });
  });
}

export function ConflictPrompt(): ReactNode {
  const question = useStore(open);
  return (
    <Dialog
      isOpen={question !== undefined} onClose={() => question?.answer('skip', false)}
      title={question === undefined ? '' : t('conflict.title', { name: question.name })}
    >
      {question !== undefined && (
        <ConflictQuestion
          {...question} onChoice={question.answer} replaceText="conflict.replaceNodeText"
        />
      )}
    </Dialog>
  );
}
